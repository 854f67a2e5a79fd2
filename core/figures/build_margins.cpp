// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// E2 as histograms: bars of one layer, or a map of all.
#include "core/figures/limits.h"
#include "core/figures/margins.h"
#include "core/figures/routed_text.h"
#include "core/numerics/expert_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "router_margin";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Lower edges of bins, 1-2-5; what is below the first counts into the bin before it.
constexpr std::array kScoreEdges{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
constexpr std::array kLogitEdges{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0};
constexpr std::array kEntropyEdges{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

/// What is counted: in bins of its own, and how it is called.
struct Measure {
    std::string_view name;
    std::span<const double> edges;
    std::vector<double> (*valuesOf)(const LayerMargins&);
};
const std::array kMeasures{
    Measure{"score margin", kScoreEdges, [](const LayerMargins& layer) { return layer.selection; }},
    Measure{"logit margin", kLogitEdges, [](const LayerMargins& layer) { return layer.logit; }},
    Measure{"entropy / ln E", kEntropyEdges,
            [](const LayerMargins& layer) { return layer.relativeEntropies(); }},
};

/// "< 0.0005", "0.0005", ...: a bin is called by its lower edge.
std::vector<std::string> edgeLabels(std::span<const double> edges) {
    std::vector<std::string> labels{fmt::format("<{}", edges.front())};
    for (const double edge : edges) {
        labels.push_back(fmt::format("{}", edge));
    }
    return labels;
}

/// Share of the values in each bin; NaN counts nowhere.
std::vector<double> shares(const std::vector<double>& values, std::span<const double> edges) {
    std::vector<double> counts(edges.size() + 1);
    double all = 0.0;
    for (const double value : values) {
        if (!std::isnan(value)) {
            ++counts[static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), value) -
                                              edges.begin())];
            ++all;
        }
    }
    std::vector<double> result;
    result.reserve(counts.size());
    for (const double count : counts) {
        result.push_back(all > 0.0 ? count / all : kNaN);
    }
    return result;
}

/// A row is a layer.
HeatMapFigure mapOfLayers(const BuildContext& context, std::span<const Measure> measures,
                          std::uint64_t& tokens) {
    HeatMapFigure body;
    for (const Measure& measure : measures) {
        HeatMapPanel panel;
        panel.title = measure.name;
        panel.columnLabels = edgeLabels(measure.edges);
        panel.matrix.columns = panel.columnLabels.size();
        body.panels.push_back(std::move(panel));
    }
    forEachMargins(context, [&](const LayerMargins& layer) {
        for (std::size_t i = 0; i < measures.size(); ++i) {
            HeatMapPanel& panel = body.panels[i];
            panel.rowLabels.push_back(std::to_string(layer.layer.value));
            for (const double share : shares(measures[i].valuesOf(layer), measures[i].edges)) {
                panel.matrix.values.push_back(static_cast<float>(share));
            }
            ++panel.matrix.rows;
        }
        tokens = layer.selection.size();
    });
    body.isPair = false;
    body.rowTitle = "layer";
    body.rowsAreLayers = true;
    body.firstRowAtBottom = true;
    Limits limits = std::pair(0.0, 0.0);
    for (const HeatMapPanel& panel : body.panels) {
        limits = widened(limits, panel.matrix, false);
    }
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    }
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits),
                "share of tokens"};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, false);
    }
    return body;
}

HistogramFigure barsOf(const LayerMargins& layer, std::span<const Measure> measures) {
    HistogramFigure body;
    body.shareName = "share of tokens";
    for (const Measure& measure : measures) {
        const std::vector<double> values = measure.valuesOf(layer);
        HistogramPanel panel;
        panel.valueName = measure.name;
        panel.edges.assign(measure.edges.begin(), measure.edges.end());
        panel.shares = shares(values, measure.edges);
        panel.median = numerics::quantile(values, 0.5);
        body.panels.push_back(std::move(panel));
    }
    return body;
}

}  // namespace

Figure buildMargins(const BuildContext& context) {
    const std::vector<LayerId> layers = layersWithMargins(context);
    if (layers.empty()) {
        return withoutMargins(context, "margins of routers");
    }
    const bool isWhole = hasWholeMargins(context);
    const auto measures = std::span<const Measure>(kMeasures).first(isWhole ? kMeasures.size() : 1);
    std::uint64_t tokens = 0;
    FigureBody body;
    std::string howToRead;
    if (context.request.layer) {
        const LayerMargins layer = marginsOf(context, layers.front()).value();
        tokens = layer.selection.size();
        body = barsOf(layer, measures);
        howToRead =
            "A bar is the share of tokens whose margin lies between the numbers at its edges; "
            "dashed: the median. Far left: a little noise sends the token to another expert. ";
    } else {
        body = mapOfLayers(context, measures, tokens);
        howToRead =
            "A row is a layer's histogram: which share of its tokens has a margin from this value "
            "to the next column's. Far left: a little noise sends the token to another expert. ";
    }
    if (isWhole) {
        howToRead += "Entropy 1: all experts score alike; 0: one has it all.";
    }
    Figure figure = derivedFrame(context, kExperiment, "margins of routers", tokens);
    figure.howToRead = howToRead + onlyMarginText(isWhole);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
