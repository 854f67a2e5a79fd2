// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/token_table.h"

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <limits>

namespace moescope::figures {
namespace {

struct Range {
    char32_t first, last;
};

// East Asian Wide and Fullwidth blocks and emoji (Unicode Standard Annex 11, by block).
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},
                           {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
                           {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                           {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                           {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
// Combining marks that take no cell of their own.
constexpr Range kZero[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                           {0x064B, 0x065F}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
                           {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
                           {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

/// A stretch ends with the first paragraph that makes it this long, and in any case here.
constexpr std::uint64_t kStretch = 1024;
constexpr std::uint64_t kLongestStretch = 4096;

template <std::size_t N>
bool contains(const Range (&ranges)[N], char32_t c) {
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [c](Range range) { return c >= range.first && c <= range.last; });
}

}  // namespace

int displayColumns(std::string_view utf8) {
    int columns = 0;
    for (std::size_t offset = 0; offset < utf8.size();) {
        const auto byte = static_cast<unsigned char>(utf8[offset]);
        if (byte < 0x80) {
            ++columns;
            ++offset;
            continue;
        }
        const std::size_t length = text::utf8SequenceLength(utf8, offset);
        if (length == 0) {
            ++columns;
            ++offset;
            continue;
        }
        const char32_t c = text::codePointAt(utf8, offset).value;
        columns += contains(kZero, c) ? 0 : contains(kWide, c) ? 2 : 1;
        offset += length;
    }
    return columns;
}

TokenTable::TokenTable(const text::TokenizedCorpus& corpus) : m_offsets(corpus.offsets) {
    const std::size_t count = corpus.tokenBytes.size();
    m_begin.reserve(count + 1);
    m_columns.reserve(count);
    m_endsLine.reserve(count);
    m_begin.push_back(0);
    if (m_offsets.empty()) {
        m_offsets = {0, count};
    }
    if (m_offsets.front() != 0 || m_offsets.back() != count ||
        !std::is_sorted(m_offsets.begin(), m_offsets.end())) {
        throw Error(ErrorCode::BadSession,
                    "The documents of the session do not cover its tokens; the file is damaged.");
    }
    const std::span<const std::string> bytes(corpus.tokenBytes);
    for (std::size_t d = 0; d + 1 < m_offsets.size(); ++d) {
        append(bytes.subspan(m_offsets[d], m_offsets[d + 1] - m_offsets[d]));
    }
    m_names = corpus.sources;
    m_names.resize(m_offsets.size() - 1);
    cutStretches();
}

void TokenTable::cutStretches() {
    auto nextDocument = m_offsets.begin();
    bool begins = true;  // a paragraph
    for (std::uint64_t token = 0; token < size(); ++token) {
        while (nextDocument != m_offsets.end() && *nextDocument == token) {
            begins = true;
            ++nextDocument;
        }
        const std::uint64_t length = token - (m_stretches.empty() ? 0 : m_stretches.back().first);
        if (m_stretches.empty() || (begins && length >= kStretch) || length >= kLongestStretch) {
            m_stretches.push_back({token, 0, begins ? 0U : 1U, 0});
        }
        TokenStretch& stretch = m_stretches.back();
        stretch.columns += static_cast<std::uint64_t>(columns(token));
        stretch.paragraphs += begins ? 1 : 0;
        stretch.narrow += static_cast<std::uint32_t>(std::max(3 - columns(token), 0));
        begins = endsLine(token);
    }
}

// One document: characters spread over several tokens show in each of them.
void TokenTable::append(std::span<const std::string> tokenBytes) {
    const std::vector<std::string> shown = text::displayTexts(tokenBytes);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        m_pool += shown[i];
        m_begin.push_back(m_pool.size());
        const int columns =
            std::clamp(displayColumns(shown[i]), 1, int{std::numeric_limits<std::uint16_t>::max()});
        m_columns.push_back(static_cast<std::uint16_t>(columns));
        m_endsLine.push_back(tokenBytes[i].find('\n') != std::string::npos);
    }
}

std::string_view TokenTable::text(std::uint64_t token) const {
    return std::string_view(m_pool).substr(m_begin.at(token),
                                           m_begin.at(token + 1) - m_begin.at(token));
}

std::uint64_t TokenTable::documentOf(std::uint64_t token) const {
    const auto after = std::upper_bound(m_offsets.begin(), m_offsets.end(), token);
    return static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(after - m_offsets.begin() - 1, 0));
}

const std::string& TokenTable::documentName(std::uint64_t document) const {
    return m_names.at(document);
}

std::string excerptAround(const TokenTable& tokens, std::uint64_t token, std::uint64_t around) {
    const std::uint64_t document = tokens.documentOf(token);
    const std::uint64_t begin = tokens.documentOffsets()[document];
    const std::uint64_t end = tokens.documentOffsets()[document + 1];
    std::string excerpt;
    for (std::uint64_t t = token - std::min(around, token - begin);
         t < std::min(end, token + around + 1); ++t) {
        const std::string text(tokens.text(t));
        excerpt += t == token ? "\xC2\xBB" + text + "\xC2\xAB" : text;
    }
    return excerpt;
}

}  // namespace moescope::figures
