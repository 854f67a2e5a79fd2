// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/sentencepiece_model.h"
#include "core/text/utf8.h"

#include <queue>

#include <algorithm>
#include <cstddef>
#include <map>

namespace moescope::text {
namespace {

using PieceType = SentencePieceProto::PieceType;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// A stretch of the text in a doubly linked list; empty once it was merged into its left neighbour.
struct Symbol {
    std::string_view text;
    std::size_t previous = kNone;
    std::size_t next = kNone;
    bool frozen = false;  ///< a user-defined piece: never merged
};

struct Pair {
    float score = 0.0F;
    std::size_t left = 0;
    std::size_t right = 0;
    std::size_t size = 0;  ///< of the merged text, to tell when a pair is stale
    /// std::priority_queue gives the greatest first: the best score, then the leftmost.
    bool operator<(const Pair& other) const {
        return score < other.score || (score == other.score && left > other.left);
    }
};

std::string_view joined(std::string_view left, std::string_view right) {
    return {left.data(), left.size() + right.size()};  // neighbours in one buffer
}

std::vector<Symbol> symbolsOf(std::string_view text, const PrefixMatcher& userDefined) {
    std::vector<Symbol> symbols;
    while (!text.empty()) {
        Symbol symbol;
        std::size_t length = userDefined.match(text);
        symbol.frozen = length > 0;
        if (length == 0) {
            length = std::max<std::size_t>(1, utf8SequenceLength(text, 0));
        }
        symbol.text = text.substr(0, length);
        symbol.previous = symbols.empty() ? kNone : symbols.size() - 1;
        text.remove_prefix(length);
        symbol.next = text.empty() ? kNone : symbols.size() + 1;
        symbols.push_back(symbol);
    }
    return symbols;
}

}  // namespace

std::vector<std::string_view> SentencePieceModel::splitBpe(std::string_view text) const {
    std::vector<Symbol> symbols = symbolsOf(text, m_normalizer.userDefined());
    std::priority_queue<Pair> agenda;
    // How pieces that must not come out were made, to take them apart again.
    std::map<std::string_view, std::pair<std::string_view, std::string_view>> unusedParts;
    const auto consider = [&](std::size_t left, std::size_t right) {
        if (left == kNone || right == kNone || symbols[left].frozen || symbols[right].frozen) {
            return;
        }
        const std::string_view piece = joined(symbols[left].text, symbols[right].text);
        const auto found = m_textPieces.find(piece);
        if (found == m_textPieces.end()) {
            return;
        }
        agenda.push({m_proto.pieces[found->second].score, left, right, piece.size()});
        if (type(found->second) == PieceType::Unused) {
            unusedParts[piece] = {symbols[left].text, symbols[right].text};
        }
    };
    for (std::size_t i = 1; i < symbols.size(); ++i) {
        consider(i - 1, i);
    }
    while (!agenda.empty()) {
        const Pair top = agenda.top();
        agenda.pop();
        Symbol& left = symbols[top.left];
        Symbol& right = symbols[top.right];
        if (left.text.empty() || right.text.empty() ||
            left.text.size() + right.text.size() != top.size) {
            continue;  // one of them was merged with something else meanwhile
        }
        left.text = joined(left.text, right.text);
        left.next = right.next;
        if (right.next != kNone) {
            symbols[right.next].previous = top.left;
        }
        right.text = {};
        consider(left.previous, top.left);
        consider(top.left, left.next);
    }
    std::vector<std::string_view> pieces;
    std::vector<std::string_view> open;
    for (std::size_t i = symbols.empty() ? kNone : 0; i != kNone; i = symbols[i].next) {
        open.push_back(symbols[i].text);
        while (!open.empty()) {
            const std::string_view piece = open.back();
            open.pop_back();
            const auto parts = unusedParts.find(piece);
            if (parts == unusedParts.end()) {
                pieces.push_back(piece);
            } else {
                open.push_back(parts->second.second);
                open.push_back(parts->second.first);
            }
        }
    }
    return pieces;
}

}  // namespace moescope::text
