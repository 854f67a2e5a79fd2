// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::checkpoint {

/// The table of contents of a ZIP archive whose entries are stored, not compressed, as PyTorch
/// writes them: each entry is a range of the file. Format: PKWARE's APPNOTE.TXT 6.3.10, with the
/// 64-bit extension.
class ZipArchive {
public:
    struct Entry {
        std::string name;
        std::uint64_t offset = 0;  ///< of the data, from the start of the file
        std::uint64_t size = 0;
    };

    /// Reads the central directory at the file's end and checks every entry against the file and
    /// against its own local header. Throws Error(BadCheckpoint) for a damaged archive and
    /// Error(Unsupported) for one with compressed or encrypted entries or of several parts; `where`
    /// names the file.
    ZipArchive(std::span<const std::byte> file, std::string_view where);

    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return m_entries; }
    /// Null where there is none of that name.
    [[nodiscard]] const Entry* find(const std::string& name) const;
    /// Bytes before the central directory: nothing that entries may use lies behind.
    [[nodiscard]] std::uint64_t directoryOffset() const noexcept { return m_directory; }

private:
    std::vector<Entry> m_entries;
    std::unordered_map<std::string, std::size_t> m_byName;
    std::uint64_t m_directory = 0;
};

}  // namespace moescope::checkpoint
