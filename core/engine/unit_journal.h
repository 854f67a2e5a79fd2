// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::engine {

/// Finished units of an experiment in a file beside the parts: what UnitProbes and
/// BranchProbes have come to, kept until the run has ended. Each is one record with a checksum,
/// appended by one write, so that a killed run leaves whole records and at most the beginning of
/// one more, which is cut off when the file is opened again. Thread-compatible.
class UnitJournal {
public:
    /// Takes over what an earlier run of the same fingerprint (at most 64 characters) left; a file
    /// of another one, or none of ours, is begun anew. The file is made by the first append().
    UnitJournal(std::filesystem::path file, std::string_view fingerprint);
    ~UnitJournal();
    UnitJournal(const UnitJournal&) = delete;
    UnitJournal& operator=(const UnitJournal&) = delete;

    [[nodiscard]] bool contains(const std::string& key) const { return m_units.contains(key); }
    /// Read from the file: what is finished takes no memory. Throws Error(Internal) for a unit that
    /// is not finished, Error(FileUnreadable) when the file was changed meanwhile.
    [[nodiscard]] std::vector<double> read(const std::string& key) const;
    /// Throws Error(FileUnwritable | DiskFull).
    void append(const std::string& key, std::span<const double> values);
    [[nodiscard]] std::size_t size() const { return m_units.size(); }

private:
    void look();
    void open();
    void write(std::string_view bytes);

    /// Where a unit's values lie in the file.
    struct Place {
        std::uint64_t offset = 0;
        std::uint32_t count = 0;
    };

    std::filesystem::path m_file;
    std::string m_header;
    std::map<std::string, Place> m_units;
    std::uint64_t m_end = 0;  ///< of the last whole record; 0: begin anew
    int m_descriptor = -1;
};

}  // namespace moescope::engine
