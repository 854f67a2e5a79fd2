// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/bpe_model.h"

#include "tests/support/catch.h"

#include <limits>
#include <random>

using namespace moescope::text;
using Ids = std::vector<TokenId>;

namespace {

/// A random vocabulary over "abc" whose merges build on each other.
BpeParts randomParts(std::mt19937& random, std::size_t merges) {
    BpeParts parts;
    std::vector<std::string> pieces = {"a", "b", "c"};
    for (TokenId id = 0; id < 3; ++id) {
        parts.vocabulary[pieces[id]] = id;
    }
    while (parts.merges.size() < merges) {
        const auto left = static_cast<TokenId>(random() % pieces.size());
        const auto right = static_cast<TokenId>(random() % pieces.size());
        const std::string merged = pieces[left] + pieces[right];
        if (parts.vocabulary.contains(merged) || merged.size() > 12) {
            continue;
        }
        const auto id = static_cast<TokenId>(pieces.size());
        parts.vocabulary[merged] = id;
        pieces.push_back(merged);
        parts.merges.push_back({left, right, id});
    }
    std::shuffle(parts.merges.begin(), parts.merges.end(), random);
    return parts;
}

/// Merges by looking at every pair each time.
Ids slowTwin(const BpeParts& parts, const std::string& word) {
    Ids ids;
    for (const char c : word) {
        ids.push_back(parts.vocabulary.find(std::string(1, c))->second);
    }
    while (true) {
        std::size_t bestRank = std::numeric_limits<std::size_t>::max();
        std::size_t bestAt = 0;
        for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
            for (std::size_t rank = 0; rank < parts.merges.size(); ++rank) {
                const auto& merge = parts.merges[rank];
                if (merge.left == ids[i] && merge.right == ids[i + 1] && rank < bestRank) {
                    bestRank = rank;
                    bestAt = i;
                }
            }
        }
        if (bestRank == std::numeric_limits<std::size_t>::max()) {
            return ids;
        }
        ids[bestAt] = parts.merges[bestRank].merged;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(bestAt) + 1);
    }
}

Ids encode(const BpeModel& model, std::string_view word) {
    Ids ids;
    model.encode(word, ids);
    return ids;
}

/// Pieces a=0, <0xC3>=1, <0xA9>=2, <unk>=3.
BpeParts smallParts() {
    BpeParts parts;
    parts.vocabulary = {{"a", 0}, {"<0xC3>", 1}, {"<0xA9>", 2}, {"<unk>", 3}};
    return parts;
}

}  // namespace

TEST_CASE("BpeModel: short and long words as the slow twin", "[core][text]") {
    std::mt19937 random(11);
    for (int round = 0; round < 150; ++round) {
        const BpeParts parts = randomParts(random, 1 + random() % 30);
        const BpeModel model(parts);
        std::string word;
        for (auto n = random() % 90; n > 0; --n) {
            word.push_back(static_cast<char>('a' + random() % 3));
        }
        INFO(word);
        REQUIRE(encode(model, word) == slowTwin(parts, word));
    }
}

TEST_CASE("BpeModel: characters that are no pieces", "[core][text]") {
    const std::string text =
        "a\xC3\xA9\xE4\xB8\xAD\xE4\xB8\xAD"
        "a";  // a, e acute, two Han
    BpeParts parts = smallParts();
    CHECK(encode(BpeModel(parts), text) == Ids{0, 0});  // neither bytes nor unknown: left out
    parts.byteFallback = true;
    CHECK(encode(BpeModel(parts), text) == Ids{0, 1, 2, 0});  // Han bytes have no pieces
    parts.unknownId = 3;
    CHECK(encode(BpeModel(parts), text) == Ids{0, 1, 2, 3, 3, 0});
    parts.fuseUnknown = true;
    CHECK(encode(BpeModel(parts), text) == Ids{0, 1, 2, 3, 0});
}

TEST_CASE("BpeModel: a word that is a piece, with ignore_merges", "[core][text]") {
    BpeParts parts;
    parts.vocabulary = {{"a", 0}, {"b", 1}, {"ab", 2}};
    parts.bytesAsSymbols = true;
    CHECK(encode(BpeModel(parts), "ab") == Ids{0, 1});  // no merge leads to the piece
    parts.ignoreMerges = true;
    CHECK(encode(BpeModel(parts), "ab") == Ids{2});
    CHECK(encode(BpeModel(parts), "aba") == Ids{0, 1, 0});
    CHECK(encode(BpeModel(parts), "").empty());
}

TEST_CASE("BpeModel: a word of two megabytes ends soon", "[core][text]") {
    BpeParts parts;
    parts.vocabulary = {{"a", 0}, {"aa", 1}, {"aaaa", 2}};
    parts.merges = {{0, 0, 1}, {1, 1, 2}};
    CHECK(encode(BpeModel(parts), std::string(2'000'000, 'a')) == Ids(500'000, 2));
}
