// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routing_agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace moescope::figures {
namespace {

/// Experts that both chose for a token.
int commonChoices(const Routing& a, const Routing& b, std::uint64_t row) {
    int common = 0;
    for (int i = 0; i < a.topK; ++i) {
        for (int j = 0; j < b.topK; ++j) {
            common += a.id(row, i) == b.id(row, j) ? 1 : 0;
        }
    }
    return common;
}

std::string textDifference(const session::Head& a, const session::Head& b) {
    const auto& here = a.corpus;
    const auto& there = b.corpus;
    if (a.run.chatTemplate != b.run.chatTemplate) {
        return fmt::format("the text went through the chat template in {} only",
                           a.run.chatTemplate ? "this session" : "the other");
    }
    const auto [at, other] =
        std::mismatch(here.ids.begin(), here.ids.end(), there.ids.begin(), there.ids.end());
    if (at == here.ids.end() && other == there.ids.end()) {
        return here.offsets == there.offsets
                   ? std::string()
                   : fmt::format("the same tokens are {} documents here and {} there",
                                 here.documentCount(), there.documentCount());
    }
    return fmt::format("the texts differ from token {} on; this one has {} tokens, the other {}",
                       at - here.ids.begin(), here.tokenCount(), there.tokenCount());
}

std::string shapeDifference(const session::ModelSummary& a, const session::ModelSummary& b) {
    if (a.layers.size() != b.layers.size()) {
        return fmt::format("there are {} layers here and {} there", a.layers.size(),
                           b.layers.size());
    }
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
        const session::LayerSummary& here = a.layers[i];
        const session::LayerSummary& there = b.layers[i];
        if (here.experts != there.experts) {
            return fmt::format("layer {} has {} experts here and {} there", i, here.experts,
                               there.experts);
        }
        if (here.topK != there.topK) {
            return fmt::format("layer {} chooses {} experts here and {} there", i, here.topK,
                               there.topK);
        }
    }
    return {};
}

}  // namespace

Agreement agreementOf(const Routing& a, const Routing& b, std::uint64_t row) {
    if (a.id(row, 0) != b.id(row, 0)) {
        return Agreement::Neither;
    }
    return commonChoices(a, b, row) == a.topK ? Agreement::Same : Agreement::FirstChoice;
}

RoutingAgreement agreementOf(const Routing& a, const Routing& b) {
    std::uint64_t firsts = 0;
    std::uint64_t sets = 0;
    std::uint64_t common = 0;
    const std::uint64_t tokens = std::min(a.tokenCount(), b.tokenCount());
    for (std::uint64_t row = 0; row < tokens; ++row) {
        const int shared = commonChoices(a, b, row);
        firsts += a.id(row, 0) == b.id(row, 0) ? 1 : 0;
        sets += shared == a.topK ? 1 : 0;
        common += static_cast<std::uint64_t>(shared);
    }
    const auto count = static_cast<double>(tokens);  // none: 0 / 0
    return {tokens, static_cast<double>(firsts) / count, static_cast<double>(sets) / count,
            static_cast<double>(common) / (count * a.topK)};
}

std::vector<double> saturationOf(const Routing& a, const Routing& b) {
    const int most = std::min(a.topK, b.topK);
    const auto topK = static_cast<std::size_t>(most);
    std::vector<std::uint64_t> common(topK);
    const std::uint64_t tokens = std::min(a.tokenCount(), b.tokenCount());
    for (std::uint64_t row = 0; row < tokens; ++row) {
        std::uint64_t shared = 0;
        for (int k = 0; k < most; ++k) {
            // What the k-th choices add to those before: each may be among the other's first k.
            for (int j = 0; j <= k; ++j) {
                shared += a.id(row, k) == b.id(row, j) ? 1 : 0;
                shared += j < k && a.id(row, j) == b.id(row, k) ? 1 : 0;
            }
            common[static_cast<std::size_t>(k)] += shared;
        }
    }
    std::vector<double> shares;
    for (std::size_t k = 0; k < topK; ++k) {  // no tokens: 0 / 0
        shares.push_back(static_cast<double>(common[k]) /
                         (static_cast<double>(tokens) * static_cast<double>(k + 1)));
    }
    return shares;
}

RoutingAgreement agreementAtRandom(int experts, int topK) {
    double sets = 1.0;  // experts over topK
    for (int i = 1; i <= topK; ++i) {
        sets *= static_cast<double>(experts - topK + i) / i;
    }
    return {0, 1.0 / experts, 1.0 / sets, static_cast<double>(topK) / experts};
}

std::string differenceOf(const session::Head& a, const session::Head& b) {
    std::string what = shapeDifference(a.model, b.model);
    if (what.empty() && a.model.vocabSize != b.model.vocabSize) {
        // Token ids of another vocabulary may be equal by chance.
        what = a.corpus.tokenBytes == b.corpus.tokenBytes
                   ? std::string()
                   : fmt::format("the vocabularies have {} and {} tokens", a.model.vocabSize,
                                 b.model.vocabSize);
    }
    if (what.empty()) {
        what = textDifference(a, b);
    }
    return what.empty() ? what
                        : fmt::format("{} and {} cannot be compared token by token: {}.",
                                      a.model.name, b.model.name, what);
}

}  // namespace moescope::figures
