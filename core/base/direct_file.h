// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

namespace moescope {

/// A file read past the page cache (O_DIRECT) into memory of the caller's. What is read once needs
/// no page of the kernel's: none has to be found, mapped and given back for every 4 KiB.
/// Thread-safe.
class DirectFile {
public:
    /// Of memory to read into.
    static constexpr std::size_t kAlignment = 4096;

    /// Null where the file cannot be opened so: not every file system has such reads.
    [[nodiscard]] static std::unique_ptr<DirectFile> open(const std::filesystem::path& path);
    ~DirectFile();
    DirectFile(const DirectFile&) = delete;
    DirectFile& operator=(const DirectFile&) = delete;

    /// Bytes that reading [offset, offset + size) needs room for: whole blocks.
    [[nodiscard]] static std::size_t roomFor(std::uint64_t offset, std::uint64_t size);
    /// Reads [offset, offset + size) and what shares blocks with it; `to` is aligned and has
    /// roomFor() bytes. Where in `to` the first byte lies; nothing where the file system refuses
    /// after all. Throws Error(FileUnreadable) naming the file where it ends before, or cannot be
    /// read.
    [[nodiscard]] std::optional<std::size_t> read(std::uint64_t offset, std::uint64_t size,
                                                  std::span<std::byte> to) const;
    [[nodiscard]] const struct stat& status() const { return m_status; }

private:
    DirectFile(int descriptor, std::filesystem::path path, const struct stat& status)
        : m_descriptor(descriptor), m_path(std::move(path)), m_status(status) {}

    int m_descriptor;
    std::filesystem::path m_path;
    struct stat m_status;
};

}  // namespace moescope
