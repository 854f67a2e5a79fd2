// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"
#include "core/figures/removal.h"

#include <utility>

namespace moescope::figures {

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
    HeatMapFigure body;
    body.isPair = false;
    body.rowTitle = "layer";
    body.columnTitle = "expert";
    body.rowsAreLayers = true;
    body.expertAxis = HeatMapFigure::ExpertAxis::Columns;
    body.firstRowAtBottom = true;
    const ColourRange& range = context.request.range;
    const bool isFixed = range.kind == ColourRange::Kind::Fixed;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Diverging),
                          isFixed ? Limits(std::pair(range.low, range.high))
                                  : widened({}, panel.matrix, false)),
                "rise of the loss"};
    markBeyond(body.bar.scale, panel.matrix, false);
    body.panels.push_back(std::move(panel));
    Figure figure = context.frame("loss without one expert in one layer", info.tokens);
    figure.howToRead =
        "Far above 0: the text needs this expert. About 0: the others stand in for it. Below 0: "
        "the model is better without." +
        intactText(context, intact);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
