// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/domain_shares.h"
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

HeatMapPanel panelOf(const RoutedText& text, const ShownChoice& shown, bool perToken) {
    DomainShares found = domainShares(text, shown.choice, perToken);
    HeatMapPanel panel;
    panel.title = shown.title;
    panel.rowLabels = std::move(found.rows);
    panel.columnLabels = expertLabels(text.experts());
    panel.rowsBeforeGap = text.domains().size();
    const auto asMatrix = [&](const std::vector<double>& values) {
        return Matrix{panel.rowLabels.size(), found.experts, {values.begin(), values.end()}};
    };
    panel.matrix = asMatrix(found.shares);
    panel.low = asMatrix(found.low);
    panel.high = asMatrix(found.high);
    panel.cellMarks = std::move(found.marks);
    return panel;
}

}  // namespace

Figure buildDomains(const BuildContext& context) {
    const DomainMeasure measure = domainMeasure(context);
    HeatMapFigure body;
    body.panels =
        domainPanels(context, measure, [&](const RoutedText& text, const ShownChoice& shown) {
            return panelOf(text, shown, measure.perToken);
        });
    body.isPair = false;
    body.rowTitle = "domain";
    body.columnTitle = "expert";
    body.expertAxis = HeatMapFigure::ExpertAxis::Columns;
    body.markName = "differs from all text";
    const ColourRange& range = context.request.range;
    Limits limits = std::pair(0.0, 0.0);
    for (const HeatMapPanel& panel : body.panels) {
        limits = widened(limits, panel.matrix, false);
    }
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    } else if (range.kind == ColourRange::Kind::AllLayers && context.request.layer) {
        for (const LayerId layer : context.require("ids").layers) {
            context.throwIfStopped();
            const RoutedText text = routedText(context, layer);
            const DocumentCounts counts =
                countAssignments(text, numerics::kAnyChoice, measure.perToken);
            for (const double share : numerics::groupShares(counts.view(text))) {
                limits->second = std::max(limits->second, share);  // NaN compares false
            }
        }
    }
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits),
                measure.barLabel};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, false);
    }
    const RoutedText text = routedText(context, context.layerOf(context.require("ids")));
    Figure figure = derivedFrame(context, measure.experiment, measure.what, text.tokens());
    figure.howToRead += domainText(text, measure.perToken);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
