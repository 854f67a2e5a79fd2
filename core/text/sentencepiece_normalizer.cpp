// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_normalizer.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::text {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";    // U+2581
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::uint32_t littleEndian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
        value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8U * i);
    }
    return value;
}

// A unit of the double array (darts-clone): label, whether a value hangs on it, and the offset to
// its children.
bool hasLeaf(std::uint32_t unit) {
    return ((unit >> 8U) & 1U) != 0;
}
std::uint32_t valueOf(std::uint32_t unit) {
    return unit & 0x7FFFFFFFU;
}
std::uint32_t labelOf(std::uint32_t unit) {
    return unit & 0x800000FFU;
}
std::uint32_t offsetOf(std::uint32_t unit) {
    return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U);
}

}  // namespace

void PrefixMatcher::add(std::string text) {
    if (text.empty()) {
        return;
    }
    std::vector<std::string>& group = m_byFirstByte[text.front()];
    const auto place = std::find_if(group.begin(), group.end(), [&](const std::string& other) {
        return other.size() < text.size();
    });
    group.insert(place, std::move(text));
}

std::size_t PrefixMatcher::match(std::string_view text) const {
    if (text.empty() || m_byFirstByte.empty()) {
        return 0;
    }
    const auto group = m_byFirstByte.find(text.front());
    if (group == m_byFirstByte.end()) {
        return 0;
    }
    for (const std::string& candidate : group->second) {
        if (text.starts_with(candidate)) {
            return candidate.size();
        }
    }
    return 0;
}

CharsMap::CharsMap(std::string_view compiled, std::string_view where) {
    constexpr std::size_t kUnit = 4;
    const std::size_t size = compiled.size() < kUnit ? 0 : littleEndian(compiled);
    if (size == 0 || size % kUnit != 0 || size > compiled.size() - kUnit) {
        throw Error(ErrorCode::BadTokenizer,
                    fmt::format("The character rules of {} are damaged.", where));
    }
    for (std::size_t at = kUnit; at < kUnit + size; at += kUnit) {
        m_trie.push_back(littleEndian(compiled.substr(at)));
    }
    m_pool = compiled.substr(kUnit + size);
    m_pool.push_back('\0');  // the last string may lack its end
}

CharsMap::Match CharsMap::match(std::string_view text) const {
    Match best;
    if (m_trie.empty()) {
        return best;
    }
    std::uint32_t at = offsetOf(m_trie.front());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto label = static_cast<unsigned char>(text[i]);
        at ^= label;
        if (at >= m_trie.size() || labelOf(m_trie[at]) != label) {
            break;
        }
        const std::uint32_t unit = m_trie[at];
        at ^= offsetOf(unit);
        if (hasLeaf(unit) && at < m_trie.size() && valueOf(m_trie[at]) < m_pool.size()) {
            best = {i + 1, std::string_view(m_pool.data() + valueOf(m_trie[at]))};
        }
    }
    return best;
}

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceProto& proto,
                                                 PrefixMatcher userDefined, std::string_view where)
    : m_charsMap(proto.charsMap.empty() ? CharsMap() : CharsMap(proto.charsMap, where)),
      m_userDefined(std::move(userDefined)),
      m_addPrefix(proto.addDummyPrefix),
      m_removeExtraSpaces(proto.removeExtraSpaces),
      m_escapeSpaces(proto.escapeSpaces),
      m_spaceAsSuffix(proto.spaceAsSuffix) {}

SentencePieceNormalizer::Step SentencePieceNormalizer::step(std::string_view text) const {
    if (const std::size_t length = m_userDefined.match(text); length > 0) {
        return {length, text.substr(0, length)};
    }
    if (const CharsMap::Match match = m_charsMap.match(text); match.length > 0) {
        return {match.length, match.replacement};
    }
    const std::size_t length = utf8SequenceLength(text, 0);
    return length == 0 ? Step{1, kReplacement} : Step{length, text.substr(0, length)};
}

void SentencePieceNormalizer::appendSpace(std::string& out) const {
    out += m_escapeSpaces ? kSpaceMark : " ";
}

std::string_view SentencePieceNormalizer::withoutLeadingSpaces(std::string_view text) const {
    while (m_removeExtraSpaces && !text.empty()) {
        const Step next = step(text);
        if (next.replacement != " ") {
            break;
        }
        text.remove_prefix(next.consumed);
    }
    return text;
}

void SentencePieceNormalizer::removeTrailingSpaces(std::string& text) const {
    const std::string_view space = m_escapeSpaces ? kSpaceMark : " ";
    while (m_removeExtraSpaces && text.ends_with(space)) {
        text.resize(text.size() - space.size());
    }
}

std::string SentencePieceNormalizer::normalize(std::string_view text, bool addPrefix) const {
    std::string_view rest = withoutLeadingSpaces(text);
    std::string out;
    if (rest.empty()) {
        return out;
    }
    const bool extraSpace = m_addPrefix && addPrefix;
    if (extraSpace && !m_spaceAsSuffix) {
        appendSpace(out);
    }
    bool afterSpace = m_removeExtraSpaces;
    while (!rest.empty()) {
        const Step next = step(rest);
        std::string_view piece = next.replacement;
        while (afterSpace && piece.starts_with(' ')) {
            piece.remove_prefix(1);
        }
        for (const char c : piece) {
            if (c == ' ') {
                appendSpace(out);
            } else {
                out.push_back(c);
            }
        }
        if (!piece.empty()) {
            afterSpace = m_removeExtraSpaces && piece.ends_with(' ');
        }
        rest.remove_prefix(next.consumed);
    }
    removeTrailingSpaces(out);
    if (extraSpace && m_spaceAsSuffix) {
        appendSpace(out);
    }
    return out;
}

}  // namespace moescope::text
