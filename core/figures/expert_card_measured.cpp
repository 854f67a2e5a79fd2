// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What experiments beside the chosen experts say on an expert's card.
#include "core/figures/expert_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kNearest = 3;  // of each similarity

std::string needs(const std::string& experiments) {
    return fmt::format("Not in this session: run {}.", experiments);
}

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

double meanOf(const std::vector<double>& values) {
    double sum = 0.0;
    double count = 0.0;
    for (const double value : values) {
        sum += std::isfinite(value) ? value : 0.0;
        count += std::isfinite(value) ? 1.0 : 0.0;
    }
    return count > 0.0 ? sum / count : kNaN;
}

void addFact(const std::string& label, const std::vector<double>& values, std::size_t expert,
             const std::string& format, CardSection& section) {
    section.rows.push_back(
        {.label = label,
         .value = values[expert],
         // An expert that no token chooses has no value, and no rank.
         .text = fmt::format("{}, mean {}",
                             std::isnan(values[expert]) ? "no value" : rankText(values, expert),
                             fmt::format(fmt::runtime(format), meanOf(values)))});
}

/// Sums over the tokens of each expert: how many there are, weights, norms, weights times norms.
struct OwnTokens {
    std::vector<double> tokens, weights;
    std::vector<double> kept, norms, products;  // of tokens whose norms are kept
};

/// Adds what `normOf(row, token, k)` says of the chosen experts of rows, read in blocks.
template <typename NormOf>
void addNorms(const CardInput& input, const session::QuantityInfo& info, const TokenSelection& rows,
              NormOf normOf) {
    constexpr std::uint64_t kBlock = 16384;
    for (const TokenRange& range : rows.ranges()) {
        for (std::uint64_t first = range.first; first < range.end(); first += kBlock) {
            input.context.throwIfStopped();
            const std::uint64_t count = std::min(kBlock, range.end() - first);
            const NdArray block = input.context.source.readRows(info.id, input.layer, first, count);
            for (std::uint64_t i = 0; i < count; ++i) {
                normOf(block, i, block.size() / count, first + i);
            }
        }
    }
}

/// Of the chosen experts of all tokens (E1), or else of the tokens whose norms are kept (B2).
void addNorms(const CardInput& input, const Routing& routing, OwnTokens& own) {
    const auto add = [&](std::size_t expert, double norm, float weight) {
        if (std::isfinite(norm)) {
            own.kept[expert] += 1.0;
            own.norms[expert] += norm;
            own.products[expert] += norm * static_cast<double>(weight);
        }
    };
    if (const auto* chosen = input.find("importance", "norm")) {
        addNorms(input, *chosen, input.context.tokens(),
                 [&](const NdArray& block, std::uint64_t i, std::size_t width, std::uint64_t row) {
                     for (int k = 0; k < routing.topK && static_cast<std::size_t>(k) < width; ++k) {
                         add(routing.id(row, k), block.at(i * width + static_cast<std::size_t>(k)),
                             routing.weight(row, k));
                     }
                 });
    } else if (const auto* norm = input.find("norms_scores", "norm")) {
        const KeptTokens kept = keptTokens(input.context.source, *norm, input.layer);
        addNorms(input, *norm, TokenSelection(kept.rowsOf(input.context.tokens())),
                 [&](const NdArray& block, std::uint64_t i, std::size_t width, std::uint64_t row) {
                     const std::uint64_t token = kept.tokenAt(row);
                     for (int k = 0; k < routing.topK; ++k) {
                         const std::size_t expert = routing.id(token, k);
                         if (expert < width) {
                             add(expert, block.at(i * width + expert), routing.weight(token, k));
                         }
                     }
                 });
    }
}

OwnTokens ownTokens(const CardInput& input) {
    OwnTokens own;
    for (auto* sums : {&own.tokens, &own.weights, &own.kept, &own.norms, &own.products}) {
        sums->assign(input.experts(), 0.0);
    }
    const auto routing = input.context.memory.routing(input.layer, input.context.request.branch);
    const TokenSelection asked = input.context.tokens();
    for (const TokenRange& range : asked.ranges()) {
        for (std::uint64_t token = range.first; token < range.end(); ++token) {
            for (int k = 0; k < routing->topK; ++k) {
                own.tokens[routing->id(token, k)] += 1.0;
                own.weights[routing->id(token, k)] +=
                    static_cast<double>(routing->weight(token, k));
            }
        }
    }
    addNorms(input, *routing, own);
    return own;
}

std::vector<double> ratio(const std::vector<double>& sums, const std::vector<double>& counts) {
    std::vector<double> values;
    for (std::size_t e = 0; e < sums.size(); ++e) {
        values.push_back(counts[e] > 0.0 ? sums[e] / counts[e] : kNaN);
    }
    return values;
}

}  // namespace

CardSection similarSection(const CardInput& input) {
    CardSection section{.title = "Most similar experts",
                        .note = "by weights (mean of roles), router rows, outputs"};
    addNearest(input, similarities(input, "weight_similarity", {"gate", "up", "down"}), "weights",
               section);
    addNearest(input, similarities(input, "router_similarity", {"router"}), "router rows", section);
    addNearest(input, similarities(input, "output_similarity", {"mean_angular"}), "outputs",
               section);
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
    TokenNumbers::Sums sums = input.context.memory.numbers().sums(
        input.layer, input.context.request.branch, rows.ranges(), input.context.stop);
    const std::vector<double> tokens(input.experts(), static_cast<double>(rows.count()));
    sums.norms.resize(input.experts(), kNaN);
    sums.scores.resize(input.experts(), kNaN);
    addFact("norm", ratio(sums.norms, tokens), input.expert, "{:.4g}", section);
    addFact("score", ratio(sums.scores, tokens), input.expert, "{:.4g}", section);
    return section;
}

// The definitions of E1: router weight, EAN and REAP over the tokens that chose the expert.
CardSection importanceSection(const CardInput& input) {
    CardSection section{.title = "Importance",
                        .note = "mean over the tokens that choose it",
                        .kind = CardSection::Kind::Facts};
    const OwnTokens own = ownTokens(input);
    addFact("router weight", ratio(own.weights, own.tokens), input.expert, "{:.4g}", section);
    if (input.find("importance", "norm") == nullptr &&
        input.find("norms_scores", "norm") == nullptr) {
        section.rows.push_back({.label = "norm", .value = kNaN, .text = needs("importance")});
        return section;
    }
    addFact("norm (EAN)", ratio(own.norms, own.kept), input.expert, "{:.4g}", section);
    addFact("weight x norm (REAP)", ratio(own.products, own.kept), input.expert, "{:.4g}", section);
    if (const auto* largest = input.find("importance", "largest_output")) {
        addFact("largest output", input.context.source.read(largest->id, input.layer).toDoubles(),
                input.expert, "{:.4g}", section);
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
