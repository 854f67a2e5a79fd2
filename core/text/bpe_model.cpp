// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/bpe_model.h"

#include "core/text/utf8.h"

#include <fmt/format.h>

#include <queue>

#include <algorithm>
#include <bit>
#include <utility>

namespace moescope::text {
namespace {

/// Words up to this length are merged by rescanning, which beats a queue on them.
constexpr std::size_t kShortWord = 24;

std::uint64_t pairKey(TokenId left, TokenId right) {
    return (std::uint64_t{left} << 32U) | right;
}

/// A symbol of the word in a doubly linked list; `alive` is false once it was merged into its left
/// neighbour.
struct Symbol {
    TokenId id;
    std::int64_t previous;
    std::int64_t next;
    bool alive;
};

struct Candidate {
    std::uint32_t rank;
    TokenId merged;
    std::int64_t position;
    /// std::priority_queue gives the greatest first: that is the lowest rank, then the leftmost.
    bool operator<(const Candidate& other) const {
        return rank != other.rank ? rank > other.rank : position > other.position;
    }
};

std::vector<Symbol> linked(const std::vector<TokenId>& ids) {
    std::vector<Symbol> symbols;
    symbols.reserve(ids.size());
    const auto count = static_cast<std::int64_t>(ids.size());
    for (std::int64_t i = 0; i < count; ++i) {
        symbols.push_back(
            {ids[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1, true});
    }
    return symbols;
}

}  // namespace

void BpeModel::MergeTable::build(const std::vector<BpeParts::Merge>& merges) {
    const std::size_t capacity = std::bit_ceil(std::max<std::size_t>(2, merges.size() * 2));
    m_entries.assign(capacity, {});
    m_shift = 64U - static_cast<unsigned>(std::countr_zero(capacity));
    std::uint32_t rank = 0;
    for (const BpeParts::Merge& merge : merges) {
        const std::uint64_t pair = pairKey(merge.left, merge.right);
        std::size_t at = slot(pair);
        while (m_entries[at].pair != UINT64_MAX && m_entries[at].pair != pair) {
            at = (at + 1) & (capacity - 1);
        }
        m_entries[at] = {pair, rank++, merge.merged};
    }
}

std::size_t BpeModel::MergeTable::slot(std::uint64_t pair) const noexcept {
    // Fibonacci hashing: the high bits of a product with 2^64 / golden ratio.
    return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15ULL) >> m_shift);
}

const BpeModel::MergeTable::Entry* BpeModel::MergeTable::find(TokenId left,
                                                              TokenId right) const noexcept {
    const std::uint64_t pair = pairKey(left, right);
    std::size_t at = slot(pair);
    while (m_entries[at].pair != UINT64_MAX) {
        if (m_entries[at].pair == pair) {
            return &m_entries[at];
        }
        at = (at + 1) & (m_entries.size() - 1);
    }
    return nullptr;
}

BpeModel::BpeModel(BpeParts parts) : m_parts(std::move(parts)) {
    m_merges.build(m_parts.merges);
    m_parts.merges = {};
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string piece = m_parts.bytesAsSymbols ? std::string(1, static_cast<char>(byte))
                                                         : fmt::format("<0x{:02X}>", byte);
        const auto found = m_parts.vocabulary.find(piece);
        if (found != m_parts.vocabulary.end()) {
            m_byteIds[byte] = found->second;
        }
    }
}

void BpeModel::addBytes(std::string_view word, std::vector<TokenId>& symbols) const {
    for (const char c : word) {
        if (const auto id = m_byteIds[static_cast<unsigned char>(c)]) {
            symbols.push_back(*id);
        } else if (m_parts.unknownId) {
            symbols.push_back(*m_parts.unknownId);
        }
    }
}

bool BpeModel::addFallback(std::string_view character, std::vector<TokenId>& symbols) const {
    const auto idOf = [this](char c) { return m_byteIds[static_cast<unsigned char>(c)]; };
    if (!m_parts.byteFallback || !std::all_of(character.begin(), character.end(),
                                              [&](char c) { return idOf(c).has_value(); })) {
        return false;
    }
    for (const char c : character) {
        symbols.push_back(*idOf(c));
    }
    return true;
}

void BpeModel::addCharacters(std::string_view word, std::vector<TokenId>& symbols) const {
    // An unknown waits for its neighbours; like the reference, byte pieces do not end the wait.
    bool unknownWaits = false;
    const auto flush = [&] {
        if (std::exchange(unknownWaits, false)) {
            symbols.push_back(*m_parts.unknownId);
        }
    };
    std::size_t length = 0;
    for (std::size_t at = 0; at < word.size(); at += length) {
        length = std::max<std::size_t>(1, utf8SequenceLength(word, at));
        const std::string_view character = word.substr(at, length);
        const auto found = m_parts.vocabulary.find(character);
        if (found != m_parts.vocabulary.end()) {
            flush();
            symbols.push_back(found->second);
        } else if (!addFallback(character, symbols) && m_parts.unknownId) {
            if (!m_parts.fuseUnknown) {
                flush();
            }
            unknownWaits = true;
        }
    }
    flush();
}

void BpeModel::mergeShort(std::vector<TokenId>& symbols) const {
    while (symbols.size() > 1) {
        const MergeTable::Entry* best = nullptr;
        std::size_t position = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            const auto* entry = m_merges.find(symbols[i], symbols[i + 1]);
            if (entry != nullptr && (best == nullptr || entry->rank < best->rank)) {
                best = entry;
                position = i;
            }
        }
        if (best == nullptr) {
            return;
        }
        symbols[position] = best->merged;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(position) + 1);
    }
}

void BpeModel::mergeAll(const std::vector<TokenId>& symbols, std::vector<TokenId>& out) const {
    std::vector<Symbol> list = linked(symbols);
    std::priority_queue<Candidate> queue;
    const auto at = [&list](std::int64_t i) -> Symbol& {
        return list[static_cast<std::size_t>(i)];
    };
    const auto offer = [&](std::int64_t left) {
        if (left < 0 || at(left).next < 0) {
            return;
        }
        if (const auto* entry = m_merges.find(at(left).id, at(at(left).next).id)) {
            queue.push({entry->rank, entry->merged, left});
        }
    };
    for (std::int64_t i = 0; i + 1 < static_cast<std::int64_t>(list.size()); ++i) {
        offer(i);
    }
    while (!queue.empty()) {
        const Candidate top = queue.top();
        queue.pop();
        Symbol& left = at(top.position);
        if (!left.alive || left.next < 0) {
            continue;
        }
        Symbol& right = at(left.next);
        // The pair may have changed since it was offered.
        const auto* entry = m_merges.find(left.id, right.id);
        if (entry == nullptr || entry->merged != top.merged) {
            continue;
        }
        left.id = top.merged;
        left.next = right.next;
        right.alive = false;
        if (left.next >= 0) {
            at(left.next).previous = top.position;
        }
        offer(left.previous);
        offer(top.position);
    }
    for (const Symbol& symbol : list) {
        if (symbol.alive) {
            out.push_back(symbol.id);
        }
    }
}

void BpeModel::encode(std::string_view word, std::vector<TokenId>& out) const {
    if (m_parts.ignoreMerges) {
        const auto whole = m_parts.vocabulary.find(word);
        if (whole != m_parts.vocabulary.end()) {
            out.push_back(whole->second);
            return;
        }
    }
    std::vector<TokenId> symbols;
    symbols.reserve(word.size());
    if (m_parts.bytesAsSymbols) {
        addBytes(word, symbols);
    } else {
        addCharacters(word, symbols);
    }
    if (symbols.size() <= kShortWord) {
        mergeShort(symbols);
        out.insert(out.end(), symbols.begin(), symbols.end());
    } else {
        mergeAll(symbols, out);
    }
}

}  // namespace moescope::text
