// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file_system.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace moescope::text {

/// A text file's content without its byte order mark: mapped, or read when it is a pipe.
/// Thread-safe once constructed; text() lives as long as the object.
class TextFile {
public:
    /// Throws Error(FileNotFound | FileUnreadable).
    explicit TextFile(const std::filesystem::path& path);

    [[nodiscard]] std::string_view text() const noexcept { return m_text; }
    [[nodiscard]] const std::string& name() const noexcept { return m_name; }

    /// Throws Error(BadText) with line and byte offset in the file when `part`, a piece of text(),
    /// is not UTF-8 or holds NUL bytes.
    void requireReadable(std::string_view part) const;

private:
    MappedFile m_mapped;
    std::string m_read;
    std::string m_name;
    std::string_view m_content;
    std::string_view m_text;
};

}  // namespace moescope::text
