// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What experiments beside the chosen experts say on an expert's card.
#include "core/base/error.h"
#include "core/figures/expert_card.h"
#include "core/numerics/expert_use.h"
#include "core/numerics/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kNearest = 3;  // of each similarity

std::string needs(const std::string& experiments) {
    return fmt::format("Not in this session: run {}.", experiments);
}

/// For what a run keeps no numbers of single tokens of, on the card of some of them.
constexpr const char* kWholeTextOnly = "Measured on the whole text only.";

/// Similarity of the expert to each of the layer's experts, a mean over quantities (roles).
std::vector<double> similarities(const CardInput& input, const char* experiment,
                                 std::initializer_list<const char*> quantities) {
    std::vector<double> mean(input.experts(), 0.0);
    double count = 0.0;
    for (const char* quantity : quantities) {
        const session::QuantityInfo* info = input.find(experiment, quantity);
        if (info == nullptr) {
            continue;
        }
        const Matrix map = toMatrix(input.context.source.read(info->id, input.layer));
        if (map.rows < input.experts() || map.columns < input.experts()) {
            continue;
        }
        for (std::size_t e = 0; e < input.experts(); ++e) {
            mean[e] += static_cast<double>(map.at(input.expert, e));
        }
        count += 1.0;
    }
    for (double& value : mean) {
        value = count > 0.0 ? value / count : kNaN;
    }
    return count > 0.0 ? mean : std::vector<double>();
}

void addNearest(const CardInput& input, const std::vector<double>& values, const char* what,
                CardSection& section) {
    std::vector<std::size_t> order;
    for (std::size_t e = 0; e < values.size(); ++e) {
        if (e != input.expert && std::isfinite(values[e])) {
            order.push_back(e);
        }
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    order.resize(std::min(order.size(), kNearest));
    for (const std::size_t e : order) {
        section.rows.push_back({.label = fmt::format("expert {}", e),
                                .value = values[e],
                                .text = what,
                                .expert = static_cast<int>(e)});
    }
}

void addFact(const std::string& label, const std::vector<double>& values, std::size_t expert,
             const std::string& format, CardSection& section) {
    section.rows.push_back(
        {.label = label,
         .value = values[expert],
         // An expert that no token chooses has no value, and no rank.
         .text = fmt::format("{}, mean {}",
                             std::isnan(values[expert]) ? "no value" : rankText(values, expert),
                             fmt::format(fmt::runtime(format), numerics::finiteMean(values)))});
}

/// Sums over the tokens of each expert.
struct OwnTokens {
    numerics::ExpertUse use;              ///< all of them
    std::vector<double> kept;             ///< tokens whose norms are kept
    std::vector<double> norms, products;  ///< of those; the norm times the weight
};

/// Calls `take` with a block of rows and the number of its first one.
template <typename Take>
void forEachBlock(const CardInput& input, const session::QuantityInfo& info,
                  const TokenSelection& rows, Take take) {
    constexpr std::uint64_t kBlock = 16384;
    for (const TokenRange& range : rows.ranges()) {
        for (std::uint64_t first = range.first; first < range.end(); first += kBlock) {
            input.context.throwIfStopped();
            const std::uint64_t count = std::min(kBlock, range.end() - first);
            const NdArray block = input.context.source.readRows(info.id, input.layer, first, count);
            if (block.shape().size() != 2 || block.type() != ElementType::F32) {
                throw Error(ErrorCode::BadSession,
                            fmt::format("{}/{} of layer {} is not a table in float32; the session "
                                        "is damaged.",
                                        info.id.experiment, info.id.quantity, input.layer.value));
            }
            take(block.values<float>(), static_cast<std::size_t>(block.shape()[1]), first, count);
        }
    }
}

/// Of the chosen experts of all tokens (E1), or else of the tokens whose norms are kept (B2).
void addNorms(const CardInput& input, const Routing& routing, OwnTokens& own) {
    const auto add = [&](std::size_t expert, float norm, float weight) {
        if (std::isfinite(norm)) {
            own.kept[expert] += 1.0;
            own.norms[expert] += static_cast<double>(norm);
            own.products[expert] += static_cast<double>(norm) * static_cast<double>(weight);
        }
    };
    const auto topK = static_cast<std::size_t>(routing.topK);
    if (const auto* chosen = input.find("importance", "norm")) {
        forEachBlock(input, *chosen, input.context.tokens(),
                     [&](std::span<const float> norms, std::size_t width, std::uint64_t first,
                         std::uint64_t count) {
                         for (std::uint64_t i = 0; i < count; ++i) {
                             for (std::size_t k = 0; k < std::min(topK, width); ++k) {
                                 const std::uint64_t at = (first + i) * topK + k;
                                 add(routing.ids[at], norms[i * width + k], routing.weights[at]);
                             }
                         }
                     });
    } else if (const auto* norm = input.find("norms_scores", "norm")) {
        const KeptTokens kept = keptTokens(input.context.source, *norm, input.layer);
        forEachBlock(input, *norm, TokenSelection(kept.rowsOf(input.context.tokens())),
                     [&](std::span<const float> norms, std::size_t width, std::uint64_t first,
                         std::uint64_t count) {
                         for (std::uint64_t i = 0; i < count; ++i) {
                             const std::uint64_t token = kept.tokenAt(first + i);
                             for (std::size_t k = 0; k < topK; ++k) {
                                 const std::uint16_t expert = routing.ids[token * topK + k];
                                 if (expert < width) {
                                     add(expert, norms[i * width + expert],
                                         routing.weights[token * topK + k]);
                                 }
                             }
                         }
                     });
    }
}

OwnTokens countOwnTokens(const CardInput& input) {
    OwnTokens own{numerics::ExpertUse(input.text.experts()), {}, {}, {}};
    for (auto* sums : {&own.kept, &own.norms, &own.products}) {
        sums->assign(input.experts(), 0.0);
    }
    const auto routing = input.context.routing(input.layer);
    const numerics::Choices all{routing->ids, routing->topK, routing->experts};
    const auto k = static_cast<std::size_t>(routing->topK);
    const TokenSelection tokens = input.context.tokens();
    for (const TokenRange& range : tokens.ranges()) {
        numerics::addUse(all.part(range.first, range.count),
                         std::span(routing->weights).subspan(range.first * k, range.count * k), {},
                         own.use);
    }
    addNorms(input, *routing, own);
    return own;
}

/// The same for every expert of the layer.
std::shared_ptr<const OwnTokens> ownTokens(const CardInput& input) {
    const BuildContext& context = input.context;
    const std::string key = fmt::format("own tokens/{}/{}/{}", context.request.branch.value,
                                        input.layer.value, listOf(context.tokens()));
    return std::static_pointer_cast<const OwnTokens>(
        context.memory.remembered(key, [&]() -> std::shared_ptr<const void> {
            return std::make_shared<const OwnTokens>(countOwnTokens(input));
        }));
}

std::vector<double> ratio(const std::vector<double>& sums, const std::vector<double>& counts) {
    std::vector<double> values;
    values.reserve(sums.size());
    for (std::size_t e = 0; e < sums.size(); ++e) {
        values.push_back(counts[e] > 0.0 ? sums[e] / counts[e] : kNaN);
    }
    return values;
}

/// Of every expert over the rows: what the run kept (over all tokens), else summed up.
std::pair<std::vector<double>, std::vector<double>> meanNormsScores(const CardInput& input,
                                                                    const TokenSelection& rows) {
    const auto* norm = input.find("norms_scores", "mean_norm");
    const auto* score = input.find("norms_scores", "mean_score");
    if (!input.context.isSelection() && norm != nullptr && score != nullptr) {
        return {input.context.source.read(norm->id, input.layer).toDoubles(),
                input.context.source.read(score->id, input.layer).toDoubles()};
    }
    const TokenNumbers::Sums sums = input.context.memory.numbers().sums(
        input.layer, input.context.request.branch, rows.ranges(), input.context.stop);
    const std::vector<double> tokens(sums.norms.size(), static_cast<double>(rows.count()));
    return {ratio(sums.norms, tokens), ratio(sums.scores, tokens)};
}

}  // namespace

CardSection similarSection(const CardInput& input) {
    CardSection section{.title = "Most similar experts",
                        .note = "by weights (mean of roles), router rows, outputs"};
    addNearest(input, similarities(input, "weight_similarity", {"gate", "up", "down"}), "weights",
               section);
    addNearest(input, similarities(input, "router_similarity", {"router"}), "router rows", section);
    if (!input.context.isSelection()) {
        addNearest(input, similarities(input, "output_similarity", {"mean_angular"}), "outputs",
                   section);
    } else if (input.find("output_similarity", "mean_angular") != nullptr) {
        section.note = "by weights (mean of roles), router rows; outputs: of the whole text only";
    }
    if (section.rows.empty()) {
        section.missing = needs("weight_similarity or output_similarity");
    }
    return section;
}

CardSection normSection(const CardInput& input) {
    CardSection section{.title = "Output norm and router score",
                        .note = "mean over all tokens, chosen or not",
                        .kind = CardSection::Kind::Facts};
    const session::QuantityInfo* norm = input.find("norms_scores", "norm");
    if (norm == nullptr) {
        section.missing = needs("norms_scores");
        return section;
    }
    const KeptTokens kept = keptTokens(input.context.source, *norm, input.layer);
    const TokenSelection rows(kept.rowsOf(input.context.tokens()));
    if (rows.empty()) {
        section.missing = "None of these tokens has its norms kept.";
        return section;
    }
    const bool hasMean =
        !input.context.isSelection() && input.find("norms_scores", "mean_norm") != nullptr;
    if (!hasMean && rows.count() < input.context.tokens().count()) {
        section.note =
            fmt::format("mean over the {} tokens that are kept, chosen or not", rows.count());
    }
    auto [norms, scores] = meanNormsScores(input, rows);
    norms.resize(input.experts(), kNaN);
    scores.resize(input.experts(), kNaN);
    addFact("norm", norms, input.expert, "{:.4g}", section);
    addFact("score", scores, input.expert, "{:.4g}", section);
    return section;
}

// The definitions of E1: router weight, EAN and REAP over the tokens that chose the expert.
CardSection importanceSection(const CardInput& input) {
    CardSection section{.title = "Importance",
                        .note = "mean over the tokens that choose it",
                        .kind = CardSection::Kind::Facts};
    const auto shared = ownTokens(input);
    const OwnTokens& own = *shared;
    const std::vector<double> tokens(own.use.tokens.begin(), own.use.tokens.end());
    addFact("router weight", ratio(own.use.weights, tokens), input.expert, "{:.4g}", section);
    if (input.find("importance", "norm") == nullptr &&
        input.find("norms_scores", "norm") == nullptr) {
        section.rows.push_back({.label = "norm", .value = kNaN, .text = needs("importance")});
        return section;
    }
    addFact("norm (EAN)", ratio(own.norms, own.kept), input.expert, "{:.4g}", section);
    addFact("weight x norm (REAP)", ratio(own.products, own.kept), input.expert, "{:.4g}", section);
    if (const auto* largest = input.find("importance", "largest_output")) {
        if (input.context.isSelection()) {
            section.rows.push_back(
                {.label = "largest output", .value = kNaN, .text = kWholeTextOnly});
            return section;
        }
        auto values = input.context.source.read(largest->id, input.layer).toDoubles();
        values.resize(input.experts(), kNaN);
        addFact("largest output", values, input.expert, "{:.4g}", section);
    }
    return section;
}

CardSection removalSection(const CardInput& input) {
    CardSection section{.title = "Without it",
                        .note = "rise of the loss of the next token, in nats",
                        .kind = CardSection::Kind::Facts};
    const session::QuantityInfo* single = input.find("expert_removal", "single", false);
    const session::QuantityInfo* intact = input.find("expert_removal", "intact", false);
    if (single == nullptr || intact == nullptr || single->axes.size() != 3) {
        section.missing = needs("expert_removal");
        return section;
    }
    if (input.context.isSelection()) {
        section.missing = kWholeTextOnly;
        return section;
    }
    const FigureSource& source = input.context.source;
    const double whole = source.read(intact->id, std::nullopt).at(0);
    const NdArray values = source.read(single->id, std::nullopt);
    const std::vector<std::string> layers =
        labelsOf(single->axes[0], static_cast<std::size_t>(values.shape().at(0)));
    const auto found = std::find(layers.begin(), layers.end(), std::to_string(input.layer.value));
    const auto experts = static_cast<std::size_t>(values.shape().at(1));
    const auto measures = static_cast<std::size_t>(values.shape().at(2));
    if (found != layers.end() && input.expert < experts && measures == 3) {
        const auto row = static_cast<std::size_t>(found - layers.begin()) * experts;
        std::vector<double> rises;
        for (std::size_t e = 0; e < std::min(experts, input.experts()); ++e) {
            rises.push_back(values.at((row + e) * measures) - whole);
        }
        addFact("in this layer", rises, input.expert, "{:+.4f}", section);
        const double changed = values.at((row + input.expert) * measures + 2);
        section.rows.push_back({.label = "predictions changed",
                                .value = kNaN,
                                .text = fmt::format("{:.2f} % of tokens", 100.0 * changed)});
    }
    if (const auto* everywhere = input.find("expert_removal", "everywhere", false)) {
        const NdArray all = source.read(everywhere->id, std::nullopt);
        std::vector<double> rises;
        for (std::size_t e = 0; (e + 1) * 3 <= all.size(); ++e) {
            rises.push_back(all.at(e * 3) - whole);
        }
        if (input.expert < rises.size()) {
            section.rows.push_back({.label = "its index in all layers",
                                    .value = rises[input.expert],
                                    .text = rankText(rises, input.expert)});
        }
    }
    if (section.rows.empty()) {
        section.missing = "Not measured for this layer.";
    }
    return section;
}

}  // namespace moescope::figures
