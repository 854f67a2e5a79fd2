// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/clustered.h"
#include "core/figures/limits.h"
#include "core/figures/pair_statistics.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "coactivation";
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kMostPairs = 100;

/// N(i and j) / N(i), NaN in the rows of experts that were never chosen.
Matrix conditional(const std::vector<std::uint64_t>& pairs, std::size_t experts) {
    Matrix matrix{experts, experts, std::vector<float>(experts * experts, kNaN)};
    for (std::size_t i = 0; i < experts; ++i) {
        const auto own = static_cast<double>(pairs[i * experts + i]);
        for (std::size_t j = 0; j < experts && own > 0.0; ++j) {
            matrix.values[i * experts + j] =
                static_cast<float>(static_cast<double>(pairs[i * experts + j]) / own);
        }
    }
    return matrix;
}

void requirePairs(const RoutedText& text, LayerId layer) {
    if (text.topK() < 2) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Layer {} chooses one expert for a token: there are no pairs.",
                                layer.value));
    }
}

/// N(i and j) / N(i) alone: for the limits of a colour scale.
HeatMapPanel sharesOf(const RoutedText& text) {
    const auto experts = static_cast<std::size_t>(text.experts());
    HeatMapPanel panel;
    panel.rowLabels = panel.columnLabels = expertLabels(text.experts());
    panel.matrix = conditional(numerics::pairCounts(text.choices()), experts);
    return panel;
}

/// With what is beyond chance, and, of a layer by itself, with intervals.
HeatMapPanel panelOf(const BuildContext& context, const RoutedText& text) {
    const PairStatistics pairs = pairStatistics(text);
    HeatMapPanel panel;
    panel.rowLabels = panel.columnLabels = expertLabels(text.experts());
    panel.matrix = conditional(pairs.counts, pairs.experts);
    panel.cellMarks = pairs.marks();
    if (context.request.layer) {
        ConditionalIntervals intervals = conditionalIntervals(text);
        panel.low = std::move(intervals.low);
        panel.high = std::move(intervals.high);
    }
    return panel;
}

/// Tokens of both over tokens of either, of N(i and j) / N(i) and N(i and j) / N(j).
double sharedTokens(const Matrix& map, std::size_t i, std::size_t j) {
    const auto ofI = static_cast<double>(map.at(i, j));
    const auto ofJ = static_cast<double>(map.at(j, i));
    return ofI > 0.0 && ofJ > 0.0 ? 1.0 / (1.0 / ofI + 1.0 / ofJ - 1.0) : 0.0;
}

/// Pairs that could meet, those with most tokens first.
std::vector<std::pair<std::size_t, std::size_t>> pairsOf(const PairStatistics& pairs) {
    std::vector<std::pair<std::size_t, std::size_t>> result;
    for (std::size_t a = 0; a < pairs.experts; ++a) {
        for (std::size_t b = a + 1; b < pairs.experts; ++b) {
            if (pairs.byChance[a * pairs.experts + b] > 0.0) {
                result.emplace_back(a, b);
            }
        }
    }
    std::stable_sort(result.begin(), result.end(), [&](const auto& left, const auto& right) {
        return pairs.counts[left.first * pairs.experts + left.second] >
               pairs.counts[right.first * pairs.experts + right.second];
    });
    return result;
}

}  // namespace

Figure buildCoactivation(const BuildContext& context) {
    HeatMapFigure body;
    std::uint64_t tokens = 0;
    std::size_t documents = 0;
    Limits limits = std::pair(0.0, 0.0);
    for (const LayerId layer : routedLayers(context)) {
        context.throwIfStopped();
        const RoutedText text = routedText(context, layer);
        requirePairs(text, layer);
        HeatMapPanel panel = panelOf(context, text);
        if (!context.request.layer) {
            panel.title = fmt::format("layer {}", layer.value);
            panel.layer = layer;
        }
        limits = widened(limits, panel.matrix, true);
        body.panels.push_back(std::move(panel));
        tokens = text.tokens();
        documents = text.documents();
    }
    if (context.request.clustered) {
        orderByClustering(body, &sharedTokens);
    }
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    } else if (range.kind == ColourRange::Kind::AllLayers && context.request.layer) {
        for (const LayerId layer : context.require("ids").layers) {
            limits = widened(limits, sharesOf(routedText(context, layer)).matrix, true);
        }
    }
    body.diagonalMasked = true;
    body.rowTitle = "expert i";
    body.columnTitle = "expert j";
    body.expertAxis = HeatMapFigure::ExpertAxis::Rows;
    body.markName = "more than by chance";
    body.openMarkName = "fewer than by chance";
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits),
                "share of i's tokens"};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, true);
    }
    Figure figure = derivedFrame(context, kExperiment, "co-activation of experts", tokens);
    if (context.request.clustered) {
        figure.caption +=
            " Experts stand in the order of an average-linkage clustering of 1 - tokens of both "
            "over tokens of either.";
    }
    if (context.request.layer) {
        const bool hasIntervals = !body.panels.front().low.values.empty();
        figure.howToRead += intervalsText(documents, hasIntervals);
    }
    figure.body = std::move(body);
    return figure;
}

Figure buildCoactivationTable(const BuildContext& context) {
    const LayerId layer = context.layerOf(context.require("ids"));
    const RoutedText text = routedText(context, layer);
    requirePairs(text, layer);
    const PairStatistics statistics = pairStatistics(text);
    std::vector<std::pair<std::size_t, std::size_t>> pairs = pairsOf(statistics);
    const std::size_t all = pairs.size();
    pairs.resize(std::min(all, kMostPairs));
    const numerics::Intervals intervals = shareIntervals(text, pairs);
    TableFigure table;
    using Kind = TableColumn::Kind;
    table.columns = {
        {"expert", Kind::Count, {}, {}},          {"with", Kind::Count, {}, {}},
        {"tokens", Kind::Count, {}, {}},          {"share of tokens", Kind::Number, {}, {}},
        {"from", Kind::Number, {}, {}},           {"to", Kind::Number, {}, {}},
        {"expected share", Kind::Number, {}, {}}, {"lift", Kind::Number, {}, {}},
        {"beyond chance", Kind::Text, {}, {}}};
    table.rows = pairs.size();
    for (std::size_t row = 0; row < table.rows; ++row) {
        const auto [a, b] = pairs[row];
        const double share = statistics.share(a, b);
        const double byChance = statistics.byChance[a * statistics.experts + b];
        const std::array values{static_cast<double>(a),
                                static_cast<double>(b),
                                static_cast<double>(statistics.counts[a * statistics.experts + b]),
                                share,
                                intervals.low[row],
                                intervals.high[row],
                                byChance,
                                share / byChance};
        for (std::size_t c = 0; c < values.size(); ++c) {
            table.columns[c].numbers.push_back(values[c]);
        }
        table.columns.back().texts.emplace_back(statistics.beyondChance(a, b));
        table.experts.push_back(static_cast<int>(a));
    }
    Figure figure = derivedFrame(context, kExperiment, "pairs of experts", text.tokens());
    figure.howToRead = fmt::format(
        "The pairs chosen together most often{}, with the interval of their share over documents. "
        "Expected share: where every token chooses {} experts by the loads alone; lift: observed / "
        "expected.",
        all > kMostPairs ? fmt::format(", {} of {}", kMostPairs, all) : "", text.topK());
    figure.howToRead += fewDocumentsText(text.documents());
    figure.body = std::move(table);
    return figure;
}

Figure buildTransitions(const BuildContext& context) {
    const std::vector<LayerId>& layers = context.require("ids").layers;
    const LayerId from = context.layerOf(context.require("ids"));
    const auto here = std::find(layers.begin(), layers.end(), from);
    if (here == layers.end() || here + 1 == layers.end()) {
        Figure figure = derivedFrame(context, "paths", "first choices of the next layer", 0);
        figure.body = NoticeFigure{fmt::format("No routed layer follows layer {}", from.value)};
        return figure;
    }
    const LayerId to = *(here + 1);
    const RoutedText text = routedText(context, from);
    const RoutedText next = routedText(context, to);
    const std::vector<std::uint64_t> counts =
        numerics::transitionCounts(text.choices(), next.choices());
    HeatMapPanel panel;
    panel.rowLabels = expertLabels(text.experts());
    panel.columnLabels = expertLabels(next.experts());
    const std::size_t rows = panel.rowLabels.size();
    const std::size_t columns = panel.columnLabels.size();
    panel.matrix = {rows, columns, std::vector<float>(rows * columns, kNaN)};
    for (std::size_t i = 0; i < rows; ++i) {
        double own = 0.0;
        for (std::size_t j = 0; j < columns; ++j) {
            own += static_cast<double>(counts[i * columns + j]);
        }
        for (std::size_t j = 0; j < columns && own > 0.0; ++j) {
            panel.matrix.values[i * columns + j] =
                static_cast<float>(static_cast<double>(counts[i * columns + j]) / own);
        }
    }
    HeatMapFigure body;
    body.isPair = false;
    body.rowTitle = fmt::format("first choice in layer {}", from.value);
    body.columnTitle = fmt::format("first choice in layer {}", to.value);
    body.expertAxis = HeatMapFigure::ExpertAxis::Rows;
    const ColourRange& range = context.request.range;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis),
                          range.kind == ColourRange::Kind::Fixed
                              ? Limits(std::pair(range.low, range.high))
                              : widened(std::pair(0.0, 0.0), panel.matrix, false)),
                "share of the row's tokens"};
    markBeyond(body.bar.scale, panel.matrix, false);
    body.panels.push_back(std::move(panel));
    Figure figure = derivedFrame(context, "paths",
                                 fmt::format("first choices of layer {}", to.value), text.tokens());
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
