// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/kept_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

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

/// "1.9 MiB".
std::string sizeText(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    const double mebi = 1024.0 * 1024.0;
    return value < mebi            ? fmt::format("{:.0f} KiB", value / 1024.0)
           : value < 1024.0 * mebi ? fmt::format("{:.1f} MiB", value / mebi)
                                   : fmt::format("{:.1f} GiB", value / 1024.0 / mebi);
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
                                      std::uint64_t wanted, std::uint64_t total) {
    const std::uint64_t fit = bytes.perToken == 0
                                  ? std::numeric_limits<std::uint64_t>::max()
                                  : std::max<std::uint64_t>(bytes.budget / bytes.perToken, 1);
    return tokenIndices(options.keptTokens, std::min(wanted, fit), total);
}

std::string keptNote(const ExperimentOptions& options, const TokenBytes& bytes,
                     std::uint64_t wanted, std::uint64_t total) {
    const std::uint64_t kept = keptTokens(options, bytes, wanted, total).size();
    const std::string size = sizeText(kept * bytes.perToken);
    if (kept == total) {
        return fmt::format("{} of all {} tokens are kept: {} before compression", bytes.what, total,
                           size);
    }
    const bool first = options.keptTokens == KeptTokens::First;
    std::string note =
        fmt::format("{} of {} of the {} tokens are kept, {}: {} before compression", bytes.what,
                    kept, total, first ? "the first" : "at equal distances", size);
    if (kept < std::min(wanted, total)) {
        note += fmt::format("; {} do not fit into {} (--kept-size)", std::min(wanted, total),
                            sizeText(bytes.budget));
    }
    return note;
}

}  // namespace moescope::experiments
