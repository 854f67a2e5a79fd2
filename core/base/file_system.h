// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace moescope {

class DirectFile;
class RegisteredMapping;

/// A whole file mapped read-only. Move-only; Thread-safe once constructed.
class MappedFile {
public:
    MappedFile();
    /// Throws Error(FileNotFound | FileUnreadable) naming the path. An empty file maps to an empty
    /// span.
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {m_data, m_size}; }
    /// Hints for streaming: read [offset, offset+size) soon / drop it from memory, it was used.
    void willNeed(std::uint64_t offset, std::uint64_t size) const noexcept;
    void dontNeed(std::uint64_t offset, std::uint64_t size) const noexcept;
    /// Hint for all of the file: touching a byte brings its page alone, or again what lies around
    /// it (on some machines 8 MiB).
    void expectScattered(bool scattered) const noexcept;
    /// Throws Error(FileUnreadable) when the file was cut short since: to touch what is gone would
    /// end the process (see jobs::reportFaults).
    void requireWhole() const;

    /// The same file for reads past the page cache; null where there are none, or where another
    /// file is at the path by now.
    [[nodiscard]] std::unique_ptr<DirectFile> openDirect() const;
    /// Whether most of a range is in memory already. Where the system does not tell: false of
    /// files that belong to others, to read them past the page cache costs no more than time.
    [[nodiscard]] bool isCached(std::uint64_t offset, std::uint64_t size) const;

private:
    const std::byte* m_data = nullptr;
    std::size_t m_size = 0;
    std::unique_ptr<RegisteredMapping> m_registered;  ///< null for an empty file
};

/// The file's content. Throws Error(FileNotFound | FileUnreadable); Error(FileUnreadable) beyond
/// `maxBytes`.
[[nodiscard]] std::string readTextFile(const std::filesystem::path& path,
                                       std::uint64_t maxBytes = std::uint64_t{1} << 32U);

/// Writes a file so that a reader sees the old or the new content, never a part: temporary file
/// beside it, fsync, rename, fsync of the folder. Throws Error(FileUnwritable | DiskFull).
void writeFileAtomically(const std::filesystem::path& path, std::string_view content);

/// Flushes a finished file and its folder entry to the disk and gives it its final name.
/// Throws Error(FileUnwritable | DiskFull).
void commitFile(const std::filesystem::path& temporary, const std::filesystem::path& final);

/// Free bytes for an unprivileged user where `path` (or its nearest existing parent) lies.
[[nodiscard]] std::uint64_t freeDiskBytes(const std::filesystem::path& path);

}  // namespace moescope
