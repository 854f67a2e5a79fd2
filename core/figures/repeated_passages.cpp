// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/repeated_passages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <unordered_set>

namespace moescope::figures {
namespace {

/// Odd, so that powers of it vanish for no length (Rabin and Karp 1987, modulo 2^64), of ids that
/// are mixed first (the finaliser of SplitMix64).
constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15ULL;

std::uint64_t mixed(text::TokenId id) {
    std::uint64_t z = (std::uint64_t{id} + 1) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
}

constexpr std::uint64_t power(std::size_t exponent) {
    std::uint64_t result = 1;
    for (std::size_t i = 0; i < exponent; ++i) {
        result *= kBase;
    }
    return result;
}

}  // namespace

double repeatedShare(std::span<const text::TokenId> ids, std::span<const std::uint64_t> offsets) {
    constexpr std::uint64_t kLeaves = power(kPassage);
    std::unordered_set<std::uint64_t> seen;
    seen.reserve(ids.size());
    std::size_t repeated = 0;
    for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
        const auto document = ids.subspan(offsets[d], offsets[d + 1] - offsets[d]);
        std::uint64_t hash = 0;
        std::size_t counted = 0;  // tokens of the document before here that are counted
        for (std::size_t end = 1; end <= document.size(); ++end) {
            hash = hash * kBase + mixed(document[end - 1]);
            if (end > kPassage) {
                hash -= kLeaves * mixed(document[end - 1 - kPassage]);
            }
            if (end >= kPassage && !seen.insert(hash).second) {
                repeated += end - std::max(counted, end - kPassage);
                counted = end;
            }
        }
    }
    return ids.empty() ? 0.0 : static_cast<double>(repeated) / static_cast<double>(ids.size());
}

std::string repetitionCaution(const BuildContext& context) {
    constexpr double kMuch = 0.05;
    constexpr std::size_t kFewDocuments = 5;
    const text::TokenizedCorpus& corpus = context.head().corpus;
    const auto share = std::static_pointer_cast<const double>(
        context.memory.remembered("repeated share", [&]() -> std::shared_ptr<const void> {
            return std::make_shared<const double>(repeatedShare(corpus.ids, corpus.offsets));
        }));
    std::string text;
    if (*share > kMuch) {
        text += fmt::format(
            " {:.0f} % of the text repeats passages of {} tokens or more, which count each time "
            "and make what is routed there look surer than it is.",
            100.0 * *share, kPassage);
    }
    if (corpus.documentCount() < kFewDocuments) {
        text += fmt::format(
            " {} document{}: what is beyond chance may come from {} subject more than from the "
            "token.",
            corpus.documentCount(), corpus.documentCount() == 1 ? "" : "s",
            corpus.documentCount() == 1 ? "its" : "their");
    }
    return text;
}

}  // namespace moescope::figures
