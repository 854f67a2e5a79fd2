// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// B1, B3, B4 and B6.

#include "core/base/error.h"
#include "core/figures/reproduction_reader.h"
#include "core/figures/similarity_summary.h"
#include "core/figures/weight_output.h"
#include "core/figures/whole_number.h"
#include "core/numerics/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace moescope::figures {
namespace {

constexpr const char* kOutputs = "output_similarity";
constexpr const char* kRanks = "rank_counts";
constexpr const char* kStates = "intermediate_states";
constexpr std::uint64_t kMostTokens = 16;  // of the kept ones; the paper shows three

LayerNumbers outputNumbers(const Reading& reading, const OfMap& ofMap) {
    return numbersOf(reading, kOutputs, {{"outputs", "mean_angular"}}, ofMap);
}

/// Counts of all layers with as many experts as the first, and their sum over layers.
struct RankTotal {
    std::vector<std::uint64_t> counts;
    std::size_t ranks = 0;
};

RankTotal totalRanks(const Reading& reading, const session::QuantityInfo& info) {
    RankTotal total;
    for (const LayerId layer : info.layers) {
        const NdArray counts = reading.source.read(info.id, layer);
        const Shape& shape = counts.shape();
        if (shape.size() != 2 || shape[0] != shape[1]) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("rank_counts/count of layer {} is not a square table; the "
                                    "session is damaged.",
                                    layer.value));
        }
        if (total.counts.empty()) {
            total.ranks = static_cast<std::size_t>(shape[0]);
            total.counts.resize(counts.size());
        }
        for (std::uint64_t i = 0; counts.size() == total.counts.size() && i < counts.size(); ++i) {
            total.counts[i] += counts.type() == ElementType::U64
                                   ? counts.values<std::uint64_t>()[i]
                                   : wholeNumberAt(counts, i, "rank_counts/count");
        }
    }
    return total;
}

/// The score rank that a norm rank has most often, from 0; ties to the lower rank.
std::size_t modalScoreRank(const RankTotal& total, std::size_t normRank) {
    std::size_t best = 0;
    for (std::size_t s = 1; s < total.ranks; ++s) {
        if (total.counts[s * total.ranks + normRank] >
            total.counts[best * total.ranks + normRank]) {
            best = s;
        }
    }
    return best;
}

/// Over tokens and pairs of [tokens, N, N].
double meanOfTokens(const NdArray& cosines, std::size_t experts, LayerId layer) {
    const Shape& shape = cosines.shape();
    if (shape.size() != 3) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("output_similarity/token_cosine of layer {} is not a table of "
                                "tokens and two experts; the session is damaged.",
                                layer.value));
    }
    const std::uint64_t n = std::min({std::uint64_t{experts}, shape[1], shape[2]});
    FiniteMean mean;
    for (std::uint64_t t = 0; t < shape[0]; ++t) {
        for (std::uint64_t i = 1; i < n; ++i) {
            for (std::uint64_t j = 0; j < i; ++j) {
                mean.add(cosines.at((t * shape[1] + i) * shape[2] + j));
            }
        }
    }
    return mean.mean();
}

/// Of the similarities that B6 sets beside the outputs': mean neurons as in the paper's reading,
/// else whole matrices.
const char* weightsOf(const Reading& reading) {
    for (const char* experiment : {"mean_neuron_similarity", "weight_similarity"}) {
        for (const NamedQuantity& one : roleQuantities(reading.value)) {
            if (reading.find(experiment, one.quantity) != nullptr) {
                return experiment;
            }
        }
    }
    return nullptr;
}

}  // namespace

// Value: how many of the successive relations of the published order hold.
Measured measureOutputOrder(const Reading& reading) {
    const LayerNumbers numbers = outputNumbers(reading, &meanOfPairs);
    if (numbers.isEmpty()) {
        return notRun(reading, kOutputs);
    }
    std::vector<std::pair<LayerId, double>> shown;  // in the published order
    std::set<LayerId> distinct;
    for (const int layer : reading.value.layers) {
        const LayerId own = reading.like(layer);
        const auto at = std::find(numbers.layers.begin(), numbers.layers.end(), own);
        distinct.insert(own);
        shown.emplace_back(
            own,
            at == numbers.layers.end()
                ? std::nan("")
                : numbers.numbers.front()[static_cast<std::size_t>(at - numbers.layers.begin())]);
    }
    Measured result;
    if (distinct.size() < shown.size()) {
        result.detail = "too few layers to tell so many depths apart";
        return result;
    }
    std::string list;
    for (const auto& [layer, value] : shown) {
        list +=
            fmt::format("{}{} in layer {}", list.empty() ? "" : ", ", inShort(value), layer.value);
    }
    result.detail = list;
    const bool isComplete = std::all_of(shown.begin(), shown.end(),
                                        [](const auto& one) { return std::isfinite(one.second); });
    if (!isComplete) {
        return result;
    }
    int holding = 0;
    for (std::size_t i = 1; i < shown.size(); ++i) {
        holding += shown[i - 1].second > shown[i].second ? 1 : 0;
    }
    result.value = holding;
    std::stable_sort(shown.begin(), shown.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [layer, value] : shown) {
        result.shown += fmt::format("{}{}", result.shown.empty() ? "" : " > ", layer.value);
    }
    return result;
}

Measured measureOutputDepth(const Reading& reading) {
    const LayerNumbers numbers = outputNumbers(reading, &meanOfPairs);
    return numbers.isEmpty() ? notRun(reading, kOutputs) : depthOf(reading, numbers);
}

Measured measureOutputBaseline(const Reading& reading) {
    const LayerNumbers numbers = outputNumbers(
        reading, [](const Matrix& map, std::size_t experts, std::optional<std::size_t> baseline) {
            return meanOfPairs(map, experts, baseline) - meanWithBaseline(map, experts, baseline);
        });
    return numbers.isEmpty()      ? notRun(reading, kOutputs)
           : !numbers.hasBaseline ? withoutBaseline()
                                  : averaged(reading, numbers);
}

Measured measureOutputCosine(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kOutputs, "token_cosine");
    if (info == nullptr) {
        return notRun(reading, kOutputs);
    }
    LayerNumbers numbers{{{"outputs", "token_cosine"}}, info->layers, {{}}};
    std::uint64_t tokens = 0;
    for (const LayerId layer : info->layers) {
        const std::uint64_t kept = info->shape.empty() ? 0 : info->shape.front();
        tokens = std::min(kept, kMostTokens);
        const NdArray cosines = reading.source.readRows(info->id, layer, 0, tokens);
        numbers.numbers.front().push_back(meanOfTokens(cosines, reading.experts(layer), layer));
    }
    Measured result = averaged(reading, numbers);
    result.detail =
        fmt::format("{} kept tokens", tokens) + (result.detail.empty() ? "" : "; ") + result.detail;
    return result;
}

Measured measureRankAgreement(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kRanks, "count");
    if (info == nullptr) {
        return notRun(reading, kRanks);
    }
    const RankTotal total = totalRanks(reading, *info);
    Measured result;
    const auto agreement = numerics::rankAgreement(total.counts, total.ranks);
    result.value = static_cast<double>(agreement.agreeingRanks);
    result.shown = fmt::format("{} of {}", agreement.agreeingRanks, total.ranks);
    result.isComparable = static_cast<int>(total.ranks) == reading.model.experts;
    result.detail = fmt::format("{} tokens, {} layers", info->tokens, info->layers.size());
    return result;
}

// As many of the largest norm ranks as the paper names.
Measured measureTopRanks(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kRanks, "count");
    if (info == nullptr) {
        return notRun(reading, kRanks);
    }
    const RankTotal total = totalRanks(reading, *info);
    const std::size_t top =
        std::min(total.ranks, static_cast<std::size_t>(std::lround(reading.value.value)));
    std::size_t agreeing = 0;
    for (std::size_t rank = total.ranks - top; rank < total.ranks; ++rank) {
        agreeing += modalScoreRank(total, rank) >= total.ranks - top ? 1 : 0;
    }
    Measured result;
    result.value = static_cast<double>(agreeing);
    result.shown = fmt::format("{} of {}", agreeing, top);
    result.isComparable = static_cast<int>(total.ranks) == reading.model.experts;
    result.detail = fmt::format("{} tokens, {} layers", info->tokens, info->layers.size());
    return result;
}

Measured measureRankCorrelation(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kRanks, "count");
    if (info == nullptr) {
        return notRun(reading, kRanks);
    }
    const RankTotal total = totalRanks(reading, *info);
    Measured result;
    result.value = numerics::rankAgreement(total.counts, total.ranks).spearman;
    result.detail = fmt::format("{} tokens, {} layers", info->tokens, info->layers.size());
    return result;
}

Measured measureActiveShare(const Reading& reading) {
    const session::QuantityInfo* info = reading.find(kStates, "active_share");
    if (info == nullptr) {
        return notRun(reading, kStates);
    }
    LayerNumbers numbers{{{"share", "active_share"}}, info->layers, {{}}};
    for (const LayerId layer : info->layers) {
        const NdArray shares = reading.source.read(info->id, layer);
        FiniteMean mean;
        for (std::uint64_t i = 0;
             i < std::min<std::uint64_t>(reading.experts(layer), shares.size()); ++i) {
            mean.add(100.0 * shares.at(i));
        }
        numbers.numbers.front().push_back(mean.mean());
    }
    Measured result = averaged(reading, numbers);
    result.detail = fmt::format("{} tokens", info->tokens) + (result.detail.empty() ? "" : "; ") +
                    result.detail;
    const session::QuantityId id{reading.branch, kStates, "threshold"};
    constexpr double kPapers = 0.001;
    if (reading.source.find(id) != nullptr) {
        const NdArray threshold = reading.source.read(id, std::nullopt);
        if (threshold.size() > 0 && threshold.at(0) != kPapers) {
            result.detail += fmt::format("; threshold {} instead of 0.001", threshold.at(0));
        }
    }
    return result;
}

Measured measureWeightsTellOutputs(const Reading& reading) {
    const session::QuantityInfo* outputs = reading.find(kOutputs, "mean_angular");
    const char* experiment = weightsOf(reading);
    if (outputs == nullptr || experiment == nullptr) {
        return notRun(reading, outputs == nullptr ? kOutputs : "mean_neuron_similarity");
    }
    LayerNumbers numbers;
    numbers.layers = outputs->layers;
    for (const NamedQuantity& one : roleQuantities(reading.value)) {
        const session::QuantityInfo* weights = reading.find(experiment, one.quantity);
        if (weights == nullptr) {
            continue;
        }
        std::vector<double> line;
        for (const LayerId layer : outputs->layers) {
            const bool hasLayer =
                std::binary_search(weights->layers.begin(), weights->layers.end(), layer);
            line.push_back(hasLayer ? relate(toMatrix(reading.source.read(weights->id, layer)),
                                             toMatrix(reading.source.read(outputs->id, layer)),
                                             reading.experts(layer))
                                          .pearson
                                    : std::nan(""));
        }
        numbers.quantities.push_back(one);
        numbers.numbers.push_back(std::move(line));
    }
    Measured result = averaged(reading, numbers);
    result.detail += experiment == std::string_view("weight_similarity")
                         ? "; whole matrices, since there are no mean neurons"
                         : "";
    return result;
}

}  // namespace moescope::figures
