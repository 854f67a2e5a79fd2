// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/residual_checkpoint.h"

#include "core/base/error.h"
#include "core/base/file_system.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <type_traits>
#include <utility>

namespace moescope::engine {
namespace {

constexpr std::array<char, 8> kMagic{'M', 'O', 'E', 'R', 'E', 'S', '0', '1'};

struct FileHeader {
    std::array<char, 8> magic = kMagic;
    std::array<char, 64> fingerprint{};
    std::int64_t layer = 0;
    std::uint64_t streams = 0;
    std::uint64_t bytes = 0;  ///< of all streams
};
static_assert(std::is_trivially_copyable_v<FileHeader>);

[[noreturn]] void throwUnwritable(const std::filesystem::path& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    throw Error(full ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
                fmt::format("{}: the residual stream cannot be kept here ({}); free some space or "
                            "put the session elsewhere.",
                            path.string(), std::strerror(error)));
}

/// A file that is written from its beginning to its end and goes unless keep() is called. A stream
/// of the standard library does not say why it failed.
class NewFile {
public:
    explicit NewFile(std::filesystem::path path)
        : m_path(std::move(path)),
          m_descriptor(::open(m_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)),
          m_error(m_descriptor < 0 ? errno : 0) {}
    ~NewFile() {
        static_cast<void>(close());
        if (!m_isKept) {
            std::error_code ignored;
            std::filesystem::remove(m_path, ignored);
        }
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    /// What comes after an error is left out.
    void put(ResidualCheckpoint::ConstStream bytes) {
        while (m_error == 0 && !bytes.empty()) {
            const ssize_t count = ::write(m_descriptor, bytes.data(), bytes.size());
            if (count >= 0) {
                bytes = bytes.subspan(static_cast<std::size_t>(count));
            } else if (errno != EINTR) {
                m_error = errno;
            }
        }
    }
    /// 0 or what errno said.
    [[nodiscard]] int close() {
        if (m_descriptor >= 0 && ::close(m_descriptor) != 0 && m_error == 0) {
            m_error = errno;
        }
        m_descriptor = -1;
        return m_error;
    }
    void keep() { m_isKept = true; }

private:
    std::filesystem::path m_path;
    int m_descriptor;
    int m_error;
    bool m_isKept = false;
};

std::array<char, 64> fixedWidth(const std::string& fingerprint) {
    std::array<char, 64> result{};
    std::copy_n(fingerprint.begin(), std::min(fingerprint.size(), result.size()), result.begin());
    return result;
}

template <typename Stream>
std::uint64_t total(std::span<const Stream> streams) {
    std::uint64_t bytes = 0;
    for (const Stream& stream : streams) {
        bytes += stream.size();
    }
    return bytes;
}

}  // namespace

ResidualCheckpoint::ResidualCheckpoint(std::filesystem::path folder, std::string fingerprint)
    : m_folder(std::move(folder)), m_fingerprint(std::move(fingerprint)) {}

std::filesystem::path ResidualCheckpoint::fileOf(int layer) const {
    return m_folder / fmt::format("residual-{}.bin", layer % 2);
}

std::optional<ResidualCheckpoint::Found> ResidualCheckpoint::find(
    const std::filesystem::path& file) const {
    std::ifstream in(file, std::ios::binary);
    FileHeader header;
    if (!in.read(reinterpret_cast<char*>(&header), sizeof header) || header.magic != kMagic ||
        header.fingerprint != fixedWidth(m_fingerprint)) {
        return std::nullopt;
    }
    std::error_code error;
    if (std::filesystem::file_size(file, error) != sizeof header + header.bytes || error) {
        return std::nullopt;
    }
    return Found{static_cast<int>(header.layer), header.streams, header.bytes};
}

std::vector<int> ResidualCheckpoint::layers() const {
    std::vector<int> result;
    for (const int slot : {0, 1}) {
        if (const auto found = find(fileOf(slot))) {
            result.push_back(found->layer);
        }
    }
    std::sort(result.begin(), result.end(), std::greater<>());
    return result;
}

bool ResidualCheckpoint::holds(int layer, std::uint64_t streams, std::uint64_t bytes) const {
    const auto found = find(fileOf(layer));
    return found && found->layer == layer && found->streams == streams && found->bytes == bytes;
}

bool ResidualCheckpoint::load(int layer, std::uint64_t streams, std::uint64_t bytes,
                              const std::function<void(const Take&)>& fill) const {
    if (!holds(layer, streams, bytes)) {
        return false;
    }
    std::ifstream in(fileOf(layer), std::ios::binary);
    in.seekg(sizeof(FileHeader));
    fill([&](const Stream& piece) {
        in.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    });
    return static_cast<bool>(in);
}

bool ResidualCheckpoint::load(int layer, std::span<const Stream> streams) const {
    return load(layer, streams.size(), total(streams),
                [&](const Take& take) { std::for_each(streams.begin(), streams.end(), take); });
}

void ResidualCheckpoint::save(int layer, std::uint64_t streams, std::uint64_t bytes,
                              const std::function<void(const Put&)>& give) const {
    FileHeader header;
    header.fingerprint = fixedWidth(m_fingerprint);
    header.layer = layer;
    header.streams = streams;
    header.bytes = bytes;
    const auto path = fileOf(layer);
    auto temporary = path;
    temporary += ".tmp";
    NewFile file(temporary);
    file.put(std::as_bytes(std::span(&header, 1)));
    give([&](const ConstStream& piece) { file.put(piece); });
    if (const int error = file.close(); error != 0) {
        throwUnwritable(path, error);
    }
    commitFile(temporary, path);
    file.keep();
}

void ResidualCheckpoint::save(int layer, std::span<const ConstStream> streams) const {
    save(layer, streams.size(), total(streams),
         [&](const Put& put) { std::for_each(streams.begin(), streams.end(), put); });
}

void ResidualCheckpoint::remove() const {
    std::error_code ignored;
    for (const int slot : {0, 1}) {
        std::filesystem::remove(fileOf(slot), ignored);
    }
}

ScratchMemory::ScratchMemory(const std::filesystem::path& folder, std::uint64_t bytes)
    : m_bytes(std::max<std::uint64_t>(bytes, 1)) {
    std::string path = (folder / "scratch-XXXXXX").string();
    const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) {
        throwUnwritable(path, errno);
    }
    ::unlink(path.c_str());
    // Reserved now, so that a full disk is an error here and not a signal later.
    const int failed = ::posix_fallocate(descriptor, 0, static_cast<off_t>(m_bytes));
    void* address =
        failed != 0 ? MAP_FAILED
                    : ::mmap(nullptr, m_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    const int error = failed != 0 ? failed : errno;
    ::close(descriptor);
    if (address == MAP_FAILED) {
        throwUnwritable(path, error);
    }
    m_data = static_cast<std::byte*>(address);
}

ScratchMemory::~ScratchMemory() {
    ::munmap(m_data, m_bytes);
}

}  // namespace moescope::engine
