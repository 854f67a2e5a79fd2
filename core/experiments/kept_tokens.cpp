// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/kept_tokens.h"

#include "core/base/format_bytes.h"
#include "core/text/token_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr std::uint64_t kNormsBudget = 4 * kGiB;
constexpr std::uint64_t kMapsBudget = kGiB;  // of similarity maps, and of intermediate states

/// Sum over the routed layers.
template <typename PerLayer>
std::uint64_t overLayers(const model::ModelSpec& model, PerLayer perLayer) {
    std::uint64_t sum = 0;
    for (const model::LayerSpec& layer : model.layers) {
        sum += layer.moe ? perLayer(*layer.moe) : 0;
    }
    return sum;
}

std::uint64_t expertsOf(const model::MoeSpec& moe) {
    return static_cast<std::uint64_t>(moe.experts);
}

/// The tokens that were named, and those of the documents that were.
text::TokenSelection listed(const ExperimentOptions& options, const text::TokenizedCorpus& corpus) {
    std::vector<text::TokenRange> ranges;
    const auto add = [&ranges](const text::TokenSelection& tokens) {
        ranges.insert(ranges.end(), tokens.ranges().begin(), tokens.ranges().end());
    };
    if (!options.keptList.empty()) {
        add(text::parseTokens(options.keptList, corpus.tokenCount()));
    }
    if (!options.keptDocuments.empty()) {
        add(text::parseDocuments(options.keptDocuments, corpus.offsets));
    }
    return text::TokenSelection(std::move(ranges));
}

std::vector<std::uint64_t> firstOf(const text::TokenSelection& tokens, std::uint64_t most) {
    std::vector<std::uint64_t> indices;
    for (const text::TokenRange& range : tokens.ranges()) {
        for (std::uint64_t token = range.first; token < range.end() && indices.size() < most;
             ++token) {
            indices.push_back(token);
        }
    }
    return indices;
}

}  // namespace

TokenBytes normBytes(const ExperimentOptions& options, const model::ModelSpec& model) {
    return {
        "norms and scores",
        overLayers(model,
                   [](const model::MoeSpec& moe) { return 2 * sizeof(float) * expertsOf(moe); }),
        options.keptBytes.value_or(kNormsBudget)};
}

TokenBytes mapBytes(const ExperimentOptions& options, const model::ModelSpec& model) {
    return {"similarity maps",
            overLayers(model,
                       [](const model::MoeSpec& moe) {
                           return sizeof(float) * expertsOf(moe) * expertsOf(moe);
                       }),
            options.keptBytes.value_or(kMapsBudget)};
}

TokenBytes stateBytes(const ExperimentOptions& options, const model::ModelSpec& model) {
    return {"intermediate states",
            overLayers(model,
                       [](const model::MoeSpec& moe) {
                           return sizeof(float) * expertsOf(moe) *
                                  static_cast<std::uint64_t>(moe.expert.intermediateSize);
                       }),
            options.keptBytes.value_or(kMapsBudget)};
}

std::vector<std::uint64_t> keptTokens(const ExperimentOptions& options, const TokenBytes& bytes,
                                      std::uint64_t wanted, const text::TokenizedCorpus& corpus) {
    const std::uint64_t fit = bytes.perToken == 0
                                  ? std::numeric_limits<std::uint64_t>::max()
                                  : std::max<std::uint64_t>(bytes.budget / bytes.perToken, 1);
    return options.keptTokens == KeptTokens::Listed
               ? firstOf(listed(options, corpus), std::min(wanted, fit))
               : tokenIndices(options.keptTokens, std::min(wanted, fit), corpus.tokenCount());
}

std::string keptNote(const ExperimentOptions& options, const TokenBytes& bytes,
                     std::uint64_t wanted, const text::TokenizedCorpus& corpus) {
    const std::uint64_t total = corpus.tokenCount();
    const bool isListed = options.keptTokens == KeptTokens::Listed;
    const std::uint64_t all = std::min(wanted, isListed ? listed(options, corpus).count() : total);
    const std::uint64_t kept = keptTokens(options, bytes, wanted, corpus).size();
    const std::string size = formatBytes(kept * bytes.perToken);
    if (kept == total) {
        return fmt::format("{} of all {} tokens are kept: {} before compression", bytes.what, total,
                           size);
    }
    const char* which = isListed                                  ? "those named"
                        : options.keptTokens == KeptTokens::First ? "the first"
                                                                  : "at equal distances";
    std::string note = fmt::format("{} of {} of the {} tokens are kept, {}: {} before compression",
                                   bytes.what, kept, total, which, size);
    if (kept < all) {
        note +=
            fmt::format("; {} do not fit into {} (--kept-size)", all, formatBytes(bytes.budget));
    }
    return note;
}

}  // namespace moescope::experiments
