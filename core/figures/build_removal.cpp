// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"
#include "core/figures/removal.h"
#include "core/figures/removal_intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace moescope::figures {

namespace {

/// While a run goes on, or of one that was stopped: how far it has come. Once it is done, what is
/// no number stays none.
std::string progressText(const BuildContext& context, const RemovalTable& single,
                         const Matrix& rises) {
    const auto& records = context.head().experiments;
    const auto record = std::find_if(records.begin(), records.end(),
                                     [](const auto& each) { return each.id == "expert_removal"; });
    if (record != records.end() && record->state == session::ExperimentState::Done) {
        return {};
    }
    const auto& layers = context.head().model.layers;
    std::size_t all = 0;
    for (const std::string& label : single.labels(0)) {
        std::size_t layer = layers.size();
        std::from_chars(label.data(), label.data() + label.size(), layer);
        all += layer < layers.size() ? static_cast<std::size_t>(layers[layer].experts) : 0;
    }
    const auto measured = static_cast<std::size_t>(std::count_if(
        rises.values.begin(), rises.values.end(), [](float value) { return !std::isnan(value); }));
    return measured >= all
               ? std::string()
               : fmt::format("So far {} of {} removals are measured, the others are hatched. ",
                             measured, all);
}

}  // namespace

Figure buildRemoval(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("single");
    const RemovalTable single = RemovalTable::read(context, "single", 2).value();
    const RemovalOutcome intact = intactOutcome(context);
    HeatMapPanel panel;
    panel.rowLabels = single.labels(0);
    panel.columnLabels = single.labels(1);
    panel.matrix = {panel.rowLabels.size(), panel.columnLabels.size(), {}};
    panel.matrix.values.reserve(single.size());
    for (std::size_t i = 0; i < single.size(); ++i) {
        panel.matrix.values.push_back(static_cast<float>(single.at(i).loss - intact.loss));
    }
    const auto intervals = riseIntervals(context, "single");
    if (intervals->low.size() == single.size()) {
        panel.low = panel.high = {panel.matrix.rows, panel.matrix.columns, {}};
        panel.low.values.assign(intervals->low.begin(), intervals->low.end());
        panel.high.values.assign(intervals->high.begin(), intervals->high.end());
    }
    const std::string progress =
        std::isnan(intact.loss) ? std::string() : progressText(context, single, panel.matrix);
    HeatMapFigure body;
    body.isPair = false;
    body.rowTitle = "layer";
    body.columnTitle = "expert";
    body.rowsAreLayers = true;
    body.expertAxis = HeatMapFigure::ExpertAxis::Columns;
    body.firstRowAtBottom = true;
    body.bar = {makeRiseScale(context.request.colourMap.value_or(ColourMap::Diverging),
                              limitsAsked(context.request.range, panel.matrix)),
                "rise of the loss (nat)"};
    markBeyond(body.bar.scale, panel.matrix, false);
    const std::string beyond = beyondText(body.bar.scale, panel.matrix);
    body.panels.push_back(std::move(panel));
    Figure figure = context.frame("loss without one expert in one layer", info.tokens);
    figure.howToRead =
        progress +
        "Far above 0: the text needs this expert. About 0: the others stand in for it. Below 0: "
        "the model is better without." +
        beyond + intactText(context, intact) +
        (progress.empty() ? intervalText(context, intervals->areKnown()) : std::string());
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
