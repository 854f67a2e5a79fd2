// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/importance.h"
#include "core/figures/limits.h"
#include "core/figures/routed_text.h"
#include "core/numerics/correlation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "importance";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Spearman's rho of two columns within a layer, over experts that have both.
double rhoOf(const ImportanceColumn& a, const ImportanceColumn& b, const ImportanceLayer& layer) {
    std::vector<double> x;
    std::vector<double> y;
    for (std::size_t row = layer.firstRow;
         row < layer.firstRow + static_cast<std::size_t>(layer.experts); ++row) {
        if (std::isfinite(a.values[row]) && std::isfinite(b.values[row])) {
            x.push_back(a.values[row]);
            y.push_back(b.values[row]);
        }
    }
    return numerics::spearman(x, y);
}

/// Mean over the layers that have one.
float meanRho(const ImportanceColumn& a, const ImportanceColumn& b,
              const std::vector<ImportanceLayer>& layers) {
    double sum = 0.0;
    double count = 0.0;
    for (const ImportanceLayer& layer : layers) {
        const double rho = rhoOf(a, b, layer);
        if (std::isfinite(rho)) {
            sum += rho;
            count += 1.0;
        }
    }
    return static_cast<float>(count > 0.0 ? sum / count : kNaN);
}

HeatMapPanel mapOf(const ImportanceTable& table, const ImportanceColumn& column) {
    int experts = 0;
    for (const ImportanceLayer& layer : table.layers) {
        experts = std::max(experts, layer.experts);
    }
    HeatMapPanel panel;
    panel.columnLabels = expertLabels(experts);
    const auto width = static_cast<std::size_t>(experts);
    panel.matrix = {
        table.layers.size(), width,
        std::vector<float>(table.layers.size() * width, std::numeric_limits<float>::quiet_NaN())};
    for (std::size_t row = 0; row < table.layers.size(); ++row) {
        const ImportanceLayer& layer = table.layers[row];
        panel.rowLabels.push_back(std::to_string(layer.layer.value));
        for (std::size_t e = 0; e < static_cast<std::size_t>(layer.experts); ++e) {
            panel.matrix.values[row * width + e] =
                static_cast<float>(column.values[layer.firstRow + e]);
        }
    }
    return panel;
}

void markRemoved(const ImportanceTable& table, const PruneList& list, HeatMapPanel& panel) {
    panel.cellMarks.resize(panel.matrix.values.size());
    for (std::size_t row = 0; row < table.layers.size(); ++row) {
        for (int e = 0; e < table.layers[row].experts; ++e) {
            panel.cellMarks[row * panel.matrix.columns + static_cast<std::size_t>(e)] =
                isRemoved(list, table.layers[row].layer, e) ? 1 : 0;
        }
    }
}

}  // namespace

Figure buildImportanceMap(const BuildContext& context) {
    const auto table = importanceTable(context);
    const ImportanceColumn& column =
        columnOf(*table, context.request.prune ? context.request.prune->criterion : std::string());
    if (!column.isThere()) {  // says what brings it
        static_cast<void>(pruneList(context, *table, *context.request.prune));
    }
    Figure figure = derivedFrame(context, kExperiment,
                                 fmt::format("importance of experts, {}", column.criterion->name),
                                 table->tokens);
    figure.howToRead = fmt::format("A cell is an expert's {}: {} go first.", column.criterion->name,
                                   column.criterion->lowGoes ? "low ones" : "high ones");
    addPrunes(context, *table, figure);
    HeatMapPanel panel = mapOf(*table, column);
    HeatMapFigure body;
    body.isPair = false;
    body.rowsAreLayers = true;
    body.expertAxis = HeatMapFigure::ExpertAxis::Columns;
    body.rowTitle = "layer";
    body.columnTitle = "expert";
    body.firstRowAtBottom = true;
    const bool isSigned = column.criterion->id == "removal";
    body.bar = {makeRiseScale(context.request.colourMap.value_or(isSigned ? ColourMap::Diverging
                                                                          : ColourMap::Viridis),
                              limitsAsked(context.request.range, panel.matrix)),
                std::string(column.criterion->title)};
    markBeyond(body.bar.scale, panel.matrix, false);
    figure.howToRead += beyondText(body.bar.scale, panel.matrix);
    if (figure.prunes != nullptr && figure.prunes->removedCount() > 0) {
        markRemoved(*table, *figure.prunes, panel);
        body.markName = "would go";
        figure.howToRead += " A dot: it would go.";
    }
    body.panels.push_back(std::move(panel));
    figure.body = std::move(body);
    return figure;
}

Figure buildImportanceCorrelation(const BuildContext& context) {
    const auto table = importanceTable(context);
    const std::vector<ImportanceLayer> layers = shownLayers(context, *table);
    std::vector<const ImportanceColumn*> there;
    HeatMapPanel panel;
    for (const ImportanceColumn& column : table->columns) {
        if (column.isThere()) {
            there.push_back(&column);
            panel.rowLabels.emplace_back(column.criterion->title);
        }
    }
    panel.columnLabels = panel.rowLabels;
    panel.matrix = {there.size(), there.size(), {}};
    for (const ImportanceColumn* a : there) {
        for (const ImportanceColumn* b : there) {
            panel.matrix.values.push_back(meanRho(*a, *b, layers));
        }
    }
    HeatMapFigure body;
    body.isPair = false;
    body.diagonalMasked = true;
    body.bar = {
        makeScale(context.request.colourMap.value_or(ColourMap::Diverging), std::pair(-1.0, 1.0)),
        "Spearman's rho"};
    body.panels.push_back(std::move(panel));
    Figure figure =
        derivedFrame(context, kExperiment, "agreement of measures of importance", table->tokens);
    figure.howToRead =
        "1: both measures put the experts of a layer in the same order; 0: they have nothing to do "
        "with each other; below 0: what is high by one is low by the other.";
    if (!context.request.layer) {
        figure.howToRead += " Mean over layers of each layer's own correlation.";
    }
    figure.howToRead += missingText(*table);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
