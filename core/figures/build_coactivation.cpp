// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/limits.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

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

HeatMapPanel panelOf(const BuildContext& context, LayerId layer) {
    const RoutedText text = routedText(context, layer);
    requirePairs(text, layer);
    const auto experts = static_cast<std::size_t>(text.experts());
    HeatMapPanel panel;
    panel.rowLabels = panel.columnLabels = expertLabels(text.experts());
    panel.matrix = conditional(numerics::pairCounts(text.choices()), experts);
    return panel;
}

struct Pair {
    std::size_t a, b;
    double together, expected;
    [[nodiscard]] double lift() const { return together / expected; }
};

/// Pairs that could meet, by falling lift over independence with the same loads.
std::vector<Pair> pairsOf(const RoutedText& text) {
    const std::vector<std::uint64_t> counts = numerics::pairCounts(text.choices());
    const auto experts = static_cast<std::size_t>(text.experts());
    const auto tokens = static_cast<double>(text.tokens());
    std::vector<Pair> pairs;
    for (std::size_t a = 0; a < experts; ++a) {
        for (std::size_t b = a + 1; b < experts; ++b) {
            const auto expected = static_cast<double>(counts[a * experts + a]) *
                                  static_cast<double>(counts[b * experts + b]) / tokens;
            if (expected > 0.0) {
                pairs.push_back({a, b, static_cast<double>(counts[a * experts + b]), expected});
            }
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& left, const Pair& right) {
        return left.together > right.together;
    });
    return pairs;
}

}  // namespace

Figure buildCoactivation(const BuildContext& context) {
    HeatMapFigure body;
    std::uint64_t tokens = 0;
    Limits limits = std::pair(0.0, 0.0);
    for (const LayerId layer : routedLayers(context)) {
        HeatMapPanel panel = panelOf(context, layer);
        if (!context.request.layer) {
            panel.title = fmt::format("layer {}", layer.value);
            panel.layer = layer;
        }
        limits = widened(limits, panel.matrix, true);
        body.panels.push_back(std::move(panel));
        tokens = routedText(context, layer).tokens();
    }
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    } else if (range.kind == ColourRange::Kind::AllLayers && context.request.layer) {
        for (const LayerId layer : context.require("ids").layers) {
            limits = widened(limits, panelOf(context, layer).matrix, true);
        }
    }
    body.diagonalMasked = true;
    body.rowTitle = "expert i";
    body.columnTitle = "expert j";
    body.expertAxis = HeatMapFigure::ExpertAxis::Rows;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits),
                "share of i's tokens"};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, true);
    }
    Figure figure = derivedFrame(context, kExperiment, "co-activation of experts", tokens);
    figure.body = std::move(body);
    return figure;
}

Figure buildCoactivationTable(const BuildContext& context) {
    const LayerId layer = context.layerOf(context.require("ids"));
    const RoutedText text = routedText(context, layer);
    requirePairs(text, layer);
    const std::vector<Pair> pairs = pairsOf(text);
    TableFigure table;
    using Kind = TableColumn::Kind;
    table.columns = {
        {"expert", Kind::Count, {}, {}},        {"with", Kind::Count, {}, {}},
        {"tokens", Kind::Count, {}, {}},        {"share of tokens", Kind::Number, {}, {}},
        {"if unrelated", Kind::Number, {}, {}}, {"times", Kind::Number, {}, {}}};
    table.rows = std::min(pairs.size(), kMostPairs);
    for (std::size_t row = 0; row < table.rows; ++row) {
        table.experts.push_back(static_cast<int>(pairs[row].a));
    }
    const auto tokens = static_cast<double>(text.tokens());
    for (std::size_t row = 0; row < table.rows; ++row) {
        const Pair& pair = pairs[row];
        const std::array values{
            static_cast<double>(pair.a), static_cast<double>(pair.b), pair.together,
            pair.together / tokens,      pair.expected / tokens,      pair.lift()};
        for (std::size_t c = 0; c < values.size(); ++c) {
            table.columns[c].numbers.push_back(values[c]);
        }
    }
    Figure figure = derivedFrame(context, kExperiment, "pairs of experts", text.tokens());
    figure.howToRead = fmt::format(
        "The pairs chosen together most often{}. Times: over what experts with these loads would "
        "give if they were chosen independently.",
        pairs.size() > kMostPairs ? fmt::format(", {} of {}", kMostPairs, pairs.size()) : "");
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
