// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <string>

namespace moescope {

/// Knows which file is mapped where, so that a handler of SIGBUS can name the file whose pages are
/// gone. An entry lives as long as the mapping it stands for. Thread-safe.
class RegisteredMapping {
public:
    RegisteredMapping(const std::byte* data, std::size_t size, std::string path,
                      const struct stat& file);
    ~RegisteredMapping();
    RegisteredMapping(const RegisteredMapping&) = delete;
    RegisteredMapping& operator=(const RegisteredMapping&) = delete;

    /// Throws Error(FileUnreadable) when the file at the path is still the mapped one but shorter.
    void requireWhole() const;
    [[nodiscard]] const std::string& path() const noexcept { return m_path; }
    [[nodiscard]] bool isOf(const struct stat& file) const noexcept {
        return file.st_dev == m_device && file.st_ino == m_inode;
    }

    /// Whether the system says of each page if it is in memory. Linux does of files that one owns
    /// or may write; of others it says that all are.
    [[nodiscard]] bool tellsResidency() const noexcept;

    /// Path of the file that is mapped at an address; null when there is none. For signal handlers:
    /// takes no lock, allocates nothing.
    [[nodiscard]] static const char* pathAt(const void* address) noexcept;

private:
    const std::byte* m_data;
    std::size_t m_size;
    std::string m_path;
    dev_t m_device;
    ino_t m_inode;
    uid_t m_owner;
    std::atomic<RegisteredMapping*> m_next{nullptr};
};

}  // namespace moescope
