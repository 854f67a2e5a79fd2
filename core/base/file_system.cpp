// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/file_system.h"

#include "core/base/direct_file.h"
#include "core/base/error.h"
#include "core/base/mapping_registry.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

namespace moescope {
namespace {

[[noreturn]] void throwUnreadable(const std::filesystem::path& path, int error) {
    const auto code = error == ENOENT ? ErrorCode::FileNotFound : ErrorCode::FileUnreadable;
    throw Error(code, fmt::format("Cannot open {}: {}.", path.string(), std::strerror(error)));
}

[[noreturn]] void throwUnwritable(const std::filesystem::path& path, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    throw Error(full ? ErrorCode::DiskFull : ErrorCode::FileUnwritable,
                fmt::format("Cannot write {}: {}.{}", path.string(), std::strerror(error),
                            full ? " Free some space and try again." : ""));
}

/// A POSIX file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    ~Descriptor() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return m_fd; }
    [[nodiscard]] int closeNow() { return ::close(std::exchange(m_fd, -1)); }

private:
    int m_fd;
};

void syncPath(const std::filesystem::path& path, int flags) {
    const Descriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
        // Some network file systems cannot sync a folder; the data itself is what must not be lost.
        if ((flags & O_DIRECTORY) != 0 && errno == EINVAL) {
            return;
        }
        throwUnwritable(path, errno);
    }
}

std::filesystem::path folderOf(const std::filesystem::path& path) {
    const auto parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

/// madvise wants page-aligned starts.
void advise(const std::byte* data, std::size_t total, std::uint64_t offset, std::uint64_t size,
            int advice) {
    if (data == nullptr || offset >= total) {
        return;
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t start = offset / page * page;
    const std::uint64_t end = std::min<std::uint64_t>(total, offset + size);
    ::madvise(const_cast<std::byte*>(data) + start, end - start, advice);
}

}  // namespace

MappedFile::MappedFile() = default;

MappedFile::MappedFile(const std::filesystem::path& path) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) {
        throwUnreadable(path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} is not a regular file.", path.string()));
    }
    m_size = static_cast<std::size_t>(info.st_size);
    if (m_size == 0) {
        return;
    }
    void* data = ::mmap(nullptr, m_size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) {
        m_size = 0;
        throwUnreadable(path, errno);
    }
    m_data = static_cast<const std::byte*>(data);
    m_registered = std::make_unique<RegisteredMapping>(m_data, m_size, path.string(), info);
}

MappedFile::~MappedFile() {
    m_registered.reset();
    if (m_data != nullptr) {
        ::munmap(const_cast<std::byte*>(m_data), m_size);
    }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : m_data(std::exchange(other.m_data, nullptr)),
      m_size(std::exchange(other.m_size, 0)),
      m_registered(std::move(other.m_registered)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(m_data, other.m_data);
    std::swap(m_size, other.m_size);
    std::swap(m_registered, other.m_registered);
    return *this;
}

void MappedFile::willNeed(std::uint64_t offset, std::uint64_t size) const noexcept {
    advise(m_data, m_size, offset, size, MADV_WILLNEED);
}

void MappedFile::dontNeed(std::uint64_t offset, std::uint64_t size) const noexcept {
    advise(m_data, m_size, offset, size, MADV_DONTNEED);
}

void MappedFile::expectScattered(bool scattered) const noexcept {
    advise(m_data, m_size, 0, m_size, scattered ? MADV_RANDOM : MADV_NORMAL);
}

void MappedFile::requireWhole() const {
    if (m_registered) {
        m_registered->requireWhole();
    }
}

std::unique_ptr<DirectFile> MappedFile::openDirect() const {
    auto direct = m_registered ? DirectFile::open(m_registered->path()) : nullptr;
    return direct && m_registered->isOf(direct->status()) ? std::move(direct) : nullptr;
}

bool MappedFile::isCached(std::uint64_t offset, std::uint64_t size) const {
    if (offset >= m_size || size == 0) {
        return true;
    }
    if (!m_registered->tellsResidency()) {
        return false;
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t start = offset / page * page;
    const std::uint64_t end = std::min<std::uint64_t>(m_size, offset + size);
    std::vector<unsigned char> pages((end - start + page - 1) / page);
    if (::mincore(const_cast<std::byte*>(m_data) + start, end - start, pages.data()) != 0) {
        return true;
    }
    const auto there = std::count_if(pages.begin(), pages.end(),
                                     [](unsigned char flags) { return (flags & 1U) != 0; });
    return 2 * static_cast<std::size_t>(there) >= pages.size();
}

std::string readTextFile(const std::filesystem::path& path, std::uint64_t maxBytes) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) {
        throwUnreadable(path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        throw Error(ErrorCode::FileUnreadable,
                    fmt::format("{} is a folder, not a file.", path.string()));
    }
    std::string content;
    char buffer[1 << 16];
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0) {
            throwUnreadable(path, errno);
        }
        if (got == 0) {
            return content;
        }
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > maxBytes) {
            throw Error(ErrorCode::FileUnreadable,
                        fmt::format("{} is larger than the {} bytes accepted here.", path.string(),
                                    maxBytes));
        }
    }
}

void writeFileAtomically(const std::filesystem::path& path, std::string_view content) {
    const std::filesystem::path temporary = path.string() + fmt::format(".{}.tmp", ::getpid());
    {
        Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (fd.get() < 0) {
            throwUnwritable(path, errno);
        }
        while (!content.empty()) {
            const ssize_t put = ::write(fd.get(), content.data(), content.size());
            if (put < 0) {
                const int error = errno;
                ::unlink(temporary.c_str());
                throwUnwritable(path, error);
            }
            content.remove_prefix(static_cast<std::size_t>(put));
        }
        if (fd.closeNow() != 0) {
            throwUnwritable(path, errno);
        }
    }
    commitFile(temporary, path);
}

void commitFile(const std::filesystem::path& temporary, const std::filesystem::path& final) {
    syncPath(temporary, O_RDONLY);
    if (::rename(temporary.c_str(), final.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        throwUnwritable(final, error);
    }
    syncPath(folderOf(final), O_RDONLY | O_DIRECTORY);
}

std::uint64_t freeDiskBytes(const std::filesystem::path& path) {
    std::filesystem::path place = std::filesystem::absolute(path);
    std::error_code error;
    while (!std::filesystem::exists(place, error) && place.has_parent_path() &&
           place != place.root_path()) {
        place = place.parent_path();
    }
    const auto space = std::filesystem::space(place, error);
    return error ? 0 : static_cast<std::uint64_t>(space.available);
}

}  // namespace moescope
