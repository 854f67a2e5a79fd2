// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/direct_file.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace moescope {

std::unique_ptr<DirectFile> DirectFile::open(const std::filesystem::path& path) {
#if defined(O_DIRECT)
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (descriptor < 0) {
        return nullptr;
    }
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) {
        ::close(descriptor);
        return nullptr;
    }
    return std::unique_ptr<DirectFile>(new DirectFile(descriptor, path, status));
#else
    static_cast<void>(path);
    return nullptr;
#endif
}

DirectFile::~DirectFile() {
    ::close(m_descriptor);
}

std::size_t DirectFile::roomFor(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t first = offset / kAlignment;
    const std::uint64_t end = (offset + size + kAlignment - 1) / kAlignment;
    return static_cast<std::size_t>((end - first) * kAlignment);
}

std::optional<std::size_t> DirectFile::read(std::uint64_t offset, std::uint64_t size,
                                            std::span<std::byte> to) const {
    const std::uint64_t start = offset / kAlignment * kAlignment;
    const std::size_t room = roomFor(offset, size);
    const std::size_t needed = offset - start + size;  // the file may end within the last block
    std::size_t done = 0;
    while (done < needed) {
        const ssize_t got =
            ::pread(m_descriptor, to.data() + done, room - done, static_cast<off_t>(start + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EINVAL) {
            return std::nullopt;
        }
        if (got < 0) {
            throw Error(ErrorCode::FileUnreadable,
                        fmt::format("Cannot read {}: {}.", m_path.string(), std::strerror(errno)));
        }
        done += static_cast<std::size_t>(got);
        // Reading goes on at whole blocks only; a short one is the file's last.
        if (done < needed && (got == 0 || done % kAlignment != 0)) {
            throw Error(ErrorCode::FileUnreadable,
                        fmt::format("{} ends before byte {}: it was cut short while it was in use.",
                                    m_path.string(), offset + size));
        }
    }
    return static_cast<std::size_t>(offset - start);
}

}  // namespace moescope
