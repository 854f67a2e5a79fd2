// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/direct_file.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

using namespace moescope;

namespace {

constexpr std::size_t kBlock = DirectFile::kAlignment;

void writeBytes(const std::filesystem::path& path, std::size_t count) {
    std::ofstream file(path, std::ios::binary);
    for (std::size_t i = 0; i < count; ++i) {
        file.put(static_cast<char>((i * 7 + i / 251) & 0xFFU));
    }
}

class AlignedMemory {
public:
    explicit AlignedMemory(std::size_t size)
        : m_data(static_cast<std::byte*>(std::aligned_alloc(kBlock, size))), m_size(size) {}
    ~AlignedMemory() { std::free(m_data); }
    AlignedMemory(const AlignedMemory&) = delete;
    AlignedMemory& operator=(const AlignedMemory&) = delete;
    [[nodiscard]] std::span<std::byte> bytes() const { return {m_data, m_size}; }

private:
    std::byte* m_data;
    std::size_t m_size;
};

}  // namespace

TEST_CASE("DirectFile: room is whole blocks", "[core][base]") {
    CHECK(DirectFile::roomFor(0, 1) == kBlock);
    CHECK(DirectFile::roomFor(0, kBlock) == kBlock);
    CHECK(DirectFile::roomFor(kBlock - 1, 2) == 2 * kBlock);
    CHECK(DirectFile::roomFor(5 * kBlock + 8, 3 * kBlock) == 4 * kBlock);
}

TEST_CASE("DirectFile: any range is what the mapping holds", "[core][base]") {
    const tests::TemporaryFolder folder;
    const std::size_t size = 5 * kBlock + 123;
    writeBytes(folder / "weights", size);
    const MappedFile mapped(folder / "weights");
    const auto direct = mapped.openDirect();
    if (!direct) {
        WARN("no direct reads on this file system");
        return;
    }
    const AlignedMemory memory(6 * kBlock);
    for (const auto& [offset, length] : {std::pair<std::size_t, std::size_t>{0, 1},
                                         {0, size},
                                         {8, 100},
                                         {kBlock - 4, 8},
                                         {2 * kBlock, kBlock},
                                         {3 * kBlock + 17, 2 * kBlock},
                                         {size - 1, 1},
                                         {size - 200, 200}}) {
        INFO(offset << " + " << length);
        const std::size_t room = DirectFile::roomFor(offset, length);
        const auto first = direct->read(offset, length, memory.bytes().first(room));
        REQUIRE(first);
        const auto found = memory.bytes().subspan(*first, length);
        const auto expected = mapped.bytes().subspan(offset, length);
        CHECK(std::equal(found.begin(), found.end(), expected.begin()));
    }
}

TEST_CASE("DirectFile: a file cut short is named", "[core][base]") {
    const tests::TemporaryFolder folder;
    writeBytes(folder / "weights", 3 * kBlock);
    const MappedFile mapped(folder / "weights");
    const auto direct = mapped.openDirect();
    if (!direct) {
        WARN("no direct reads on this file system");
        return;
    }
    std::filesystem::resize_file(folder / "weights", kBlock + 10);
    const AlignedMemory memory(3 * kBlock);
    CHECK(direct->read(0, kBlock, memory.bytes().first(kBlock)) == 0U);
    tests::checkThrows(
        [&] { static_cast<void>(direct->read(kBlock, kBlock, memory.bytes().first(kBlock))); },
        ErrorCode::FileUnreadable, {"weights", "cut short"});
    tests::checkThrows(
        [&] { static_cast<void>(direct->read(2 * kBlock, kBlock, memory.bytes().first(kBlock))); },
        ErrorCode::FileUnreadable, {"weights", "cut short"});
}

TEST_CASE("MappedFile: another file at the path is not read for the mapped one", "[core][base]") {
    const tests::TemporaryFolder folder;
    writeBytes(folder / "weights", 100);
    const MappedFile mapped(folder / "weights");
    std::filesystem::rename(folder / "weights", folder / "old");
    CHECK(mapped.openDirect() == nullptr);
    writeBytes(folder / "weights", 100);
    CHECK(mapped.openDirect() == nullptr);
    CHECK(DirectFile::open(folder / "absent") == nullptr);
}

TEST_CASE("MappedFile: what was touched is in memory", "[core][base]") {
    const tests::TemporaryFolder folder;
    writeBytes(folder / "weights", 8 * kBlock);
    const MappedFile mapped(folder / "weights");
    std::size_t sum = 0;
    for (const std::byte value : mapped.bytes()) {
        sum += static_cast<std::size_t>(value);
    }
    CHECK(sum > 0);
    CHECK(mapped.isCached(0, 8 * kBlock));
    CHECK(mapped.isCached(9 * kBlock, 1));  // nothing to read
}

TEST_CASE("MappedFile: what was dropped from memory is not", "[core][base]") {
    const tests::TemporaryFolder folder;
    writeBytes(folder / "weights", 8 * kBlock);
    const int file = ::open((folder / "weights").c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0);
    REQUIRE(::fsync(file) == 0);
    REQUIRE(::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
    ::close(file);
    if (DirectFile::open(folder / "weights") == nullptr) {
        WARN("the folder for temporary files lies in memory: nothing can be dropped from it");
        return;
    }
    CHECK_FALSE(MappedFile(folder / "weights").isCached(0, 8 * kBlock));
}
