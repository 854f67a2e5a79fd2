// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_checkpoint.h"

#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <cstring>
#include <new>
#include <span>
#include <string>

using namespace moescope;
using engine::ResidualCheckpoint;

namespace {

struct Streams {
    std::string first, second;
    [[nodiscard]] std::vector<ResidualCheckpoint::ConstStream> views() const {
        return {std::as_bytes(std::span(first)), std::as_bytes(std::span(second))};
    }
    [[nodiscard]] std::vector<ResidualCheckpoint::Stream> targets() {
        return {std::as_writable_bytes(std::span(first)),
                std::as_writable_bytes(std::span(second))};
    }
};

}  // namespace

TEST_CASE("ResidualCheckpoint: two layers are kept in turn", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const ResidualCheckpoint kept(folder.path(), "model");
    CHECK(kept.layers().empty());
    for (int layer = 1; layer <= 5; ++layer) {
        const Streams streams{"stream " + std::to_string(layer), "baseline"};
        kept.save(layer, streams.views());
    }
    CHECK(kept.layers() == std::vector<int>{5, 4});
    Streams read{std::string(8, ' '), std::string(8, ' ')};
    REQUIRE(kept.load(4, read.targets()));
    CHECK(read.first == "stream 4");
    CHECK(read.second == "baseline");
    CHECK_FALSE(kept.load(3, read.targets()));
    kept.remove();
    CHECK(kept.layers().empty());
}

TEST_CASE("ResidualCheckpoint: what does not belong to the run is not used", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const Streams streams{"stream 2", "baseline"};
    ResidualCheckpoint(folder.path(), "model").save(2, streams.views());
    Streams read{std::string(8, ' '), std::string(8, ' ')};
    SECTION("another model") {
        CHECK(ResidualCheckpoint(folder.path(), "other").layers().empty());
    }
    SECTION("another size") {
        const ResidualCheckpoint kept(folder.path(), "model");
        read.second += " ";
        CHECK_FALSE(kept.holds(2, 2, 17));
        CHECK_FALSE(kept.load(2, read.targets()));
    }
    SECTION("a cut file") {
        const auto file = folder / "residual-0.bin";
        std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
        CHECK(ResidualCheckpoint(folder.path(), "model").layers().empty());
    }
    SECTION("a file that is something else") {
        std::filesystem::resize_file(folder / "residual-0.bin", 3);
        CHECK(ResidualCheckpoint(folder.path(), "model").layers().empty());
    }
}

TEST_CASE("ResidualCheckpoint: a folder that is not there is reported", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const ResidualCheckpoint kept(folder / "absent", "model");
    const Streams streams{"a", "b"};
    CHECK_THROWS_AS(kept.save(1, streams.views()), Error);
    CHECK_THROWS_AS(engine::ScratchMemory(folder / "absent", 100), Error);
}

TEST_CASE("ResidualCheckpoint: a full disk is said as that", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const ResidualCheckpoint kept(folder.path(), "model");
    const Streams streams{std::string(1 << 20, 'a'), "b"};
    kept.save(2, streams.views());
    std::filesystem::create_symlink("/dev/full", folder / "residual-1.bin.tmp");
    tests::checkThrows([&] { kept.save(3, streams.views()); }, ErrorCode::DiskFull,
                       {"residual-1.bin", "free some space"});
    CHECK(kept.layers() == std::vector<int>{2});
    CHECK_FALSE(std::filesystem::is_symlink(folder / "residual-1.bin.tmp"));
}

TEST_CASE("ResidualCheckpoint: piece by piece, and what fails on the way", "[core][engine]") {
    const tests::TemporaryFolder folder;
    const ResidualCheckpoint kept(folder.path(), "model");
    kept.save(2, 1, 6, [](const ResidualCheckpoint::Put& put) {
        put(std::as_bytes(std::span("four", 4)));
        put(std::as_bytes(std::span("2!", 2)));
    });
    const auto readBack = [&] {
        std::string first(2, ' ');
        std::string rest(4, ' ');
        CHECK(kept.load(2, 1, 6, [&](const ResidualCheckpoint::Take& take) {
            take(std::as_writable_bytes(std::span(first)));
            take(std::as_writable_bytes(std::span(rest)));
        }));
        return first + rest;
    };
    CHECK(readBack() == "four2!");
    CHECK_THROWS_AS(kept.save(4, 1, 6, [](const auto&) { throw std::bad_alloc(); }),
                    std::bad_alloc);
    CHECK(readBack() == "four2!");
    CHECK_FALSE(std::filesystem::exists(folder / "residual-0.bin.tmp"));
    // Less than was announced is not taken for whole.
    kept.save(3, 1, 6,
              [](const ResidualCheckpoint::Put& put) { put(std::as_bytes(std::span("four", 4))); });
    CHECK(kept.layers() == std::vector<int>{2});
}

TEST_CASE("ScratchMemory: leaves no file behind", "[core][engine]") {
    const tests::TemporaryFolder folder;
    {
        const engine::ScratchMemory memory(folder.path(), 1 << 20);
        std::memset(memory.data(), 7, 1 << 20);
        CHECK(memory.data()[(1 << 20) - 1] == std::byte{7});
        CHECK(std::filesystem::is_empty(folder.path()));
    }
    CHECK(std::filesystem::is_empty(folder.path()));
}
