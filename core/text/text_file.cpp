// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/text_file.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace moescope::text {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool isPipe(const std::filesystem::path& path) {
    std::error_code ignored;
    const auto status = std::filesystem::status(path, ignored);
    return std::filesystem::is_fifo(status) || std::filesystem::is_character_file(status);
}

}  // namespace

TextFile::TextFile(const std::filesystem::path& path) : m_name(path.string()) {
    if (isPipe(path)) {
        m_read = readTextFile(path);
        m_content = m_read;
    } else {
        m_mapped = MappedFile(path);
        const auto bytes = m_mapped.bytes();
        m_content = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    m_text = m_content;
    if (m_text.starts_with(kByteOrderMark)) {
        m_text.remove_prefix(kByteOrderMark.size());
    }
}

void TextFile::requireReadable(std::string_view part) const {
    const auto invalid = findInvalidUtf8(part);
    const std::size_t nul = part.find('\0');
    if (!invalid && nul == std::string_view::npos) {
        return;
    }
    const std::size_t inPart = std::min(invalid.value_or(part.size()), nul);
    const auto byte = static_cast<unsigned char>(part[inPart]);
    const std::size_t offset = static_cast<std::size_t>(part.data() - m_content.data()) + inPart;
    const auto line = 1 + std::count(m_content.begin(), m_content.begin() + offset, '\n');
    throw Error(
        ErrorCode::BadText,
        fmt::format("{}, line {}: {} at byte offset {}. The file must be text in UTF-8; "
                    "convert it, for example with iconv -t UTF-8.",
                    m_name, line,
                    byte == 0 ? "a NUL byte" : fmt::format("byte 0x{:02X} is not UTF-8", byte),
                    offset));
}

}  // namespace moescope::text
