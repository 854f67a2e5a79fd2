// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/added_tokens.h"

#include "core/text/unicode.h"
#include "core/text/utf8.h"

#include <algorithm>

namespace moescope::text {
namespace {

bool isContinuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Start of the last character of text[0, end); precondition end > 0.
std::size_t lastCharacter(std::string_view text, std::size_t end) {
    std::size_t start = end - 1;
    while (start > 0 && isContinuation(text[start])) {
        --start;
    }
    return start;
}

bool isWordAt(std::string_view text, std::size_t offset) {
    return isWordCharacter(codePointAt(text, offset).value);
}

bool standsAlone(std::string_view text, std::size_t begin, std::size_t end) {
    return (begin == 0 || !isWordAt(text, lastCharacter(text, begin))) &&
           (end == text.size() || !isWordAt(text, end));
}

std::size_t spaceBefore(std::string_view text, std::size_t begin) {
    while (begin > 0) {
        const std::size_t start = lastCharacter(text, begin);
        if (!isWhiteSpace(codePointAt(text, start).value)) {
            break;
        }
        begin = start;
    }
    return begin;
}

std::size_t spaceAfter(std::string_view text, std::size_t end) {
    while (end < text.size()) {
        const CodePoint point = codePointAt(text, end);
        if (!isWhiteSpace(point.value)) {
            break;
        }
        end += point.length;
    }
    return end;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : m_tokens(std::move(tokens)) {
    std::erase_if(m_tokens, [](const AddedToken& token) { return token.content.empty(); });
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        insert(m_tokens[i].content, i);
    }
}

std::uint32_t AddedTokenMatcher::child(std::uint32_t node, unsigned char byte) const {
    for (const auto& [label, target] : m_nodes[node].children) {
        if (label == byte) {
            return target;
        }
    }
    return 0;
}

void AddedTokenMatcher::insert(const std::string& content, std::size_t token) {
    m_starts[static_cast<unsigned char>(content.front())] = true;
    std::uint32_t node = 0;
    for (const char c : content) {
        const auto byte = static_cast<unsigned char>(c);
        std::uint32_t next = child(node, byte);
        if (next == 0) {
            next = static_cast<std::uint32_t>(m_nodes.size());
            m_nodes.emplace_back();
            m_nodes[node].children.emplace_back(byte, next);
        }
        node = next;
    }
    m_nodes[node].token = token;
}

AddedTokenMatcher::Found AddedTokenMatcher::findFrom(std::string_view text,
                                                     std::size_t from) const {
    for (std::size_t begin = from; begin < text.size(); ++begin) {
        if (!m_starts[static_cast<unsigned char>(text[begin])]) {
            continue;
        }
        Found found;
        std::uint32_t node = 0;
        for (std::size_t end = begin; end < text.size(); ++end) {
            node = child(node, static_cast<unsigned char>(text[end]));
            if (node == 0) {
                break;
            }
            if (m_nodes[node].token) {
                found = {begin, end + 1, &m_tokens[*m_nodes[node].token]};
            }
        }
        if (found.token != nullptr) {
            return found;
        }
    }
    return {};
}

std::vector<AddedTokenMatcher::Piece> AddedTokenMatcher::split(std::string_view text) const {
    std::vector<Piece> pieces;
    std::size_t done = 0;
    for (Found found = findFrom(text, 0); found.token != nullptr;
         found = findFrom(text, found.end)) {
        const AddedToken& token = *found.token;
        if (token.singleWord && !standsAlone(text, found.begin, found.end)) {
            continue;
        }
        std::size_t begin = found.begin;
        std::size_t end = found.end;
        if (token.stripLeft) {
            begin = spaceBefore(text, begin);
        }
        if (token.stripRight) {
            end = spaceAfter(text, end);
        }
        // Space taken by the token before is not there any more.
        begin = std::max(begin, done);
        if (done < begin) {
            pieces.push_back({text.substr(done, begin - done), std::nullopt});
        }
        pieces.push_back({text.substr(begin, std::max(end, begin) - begin), token.id});
        done = std::max(end, done);
    }
    if (done < text.size()) {
        pieces.push_back({text.substr(done), std::nullopt});
    }
    return pieces;
}

}  // namespace moescope::text
