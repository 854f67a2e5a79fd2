// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moescope::figures {
namespace {

constexpr const char* kAllText = "all text";

/// C1 divides by assignments, D3 by tokens.
struct Measure {
    std::string_view experiment;
    std::string what, barLabel;
    bool perToken;
};

Measure measureOf(const BuildContext& context) {
    return context.info.name == "domain-specialisation"
               ? Measure{"domain_specialisation", "share of tokens by domain", "share of tokens",
                         true}
               : Measure{"domain_share", "share of assignments by domain", "share of assignments",
                         false};
}

std::vector<std::string> rowsOf(const RoutedText& text) {
    std::vector<std::string> rows = text.domains();
    rows.emplace_back(kAllText);
    return rows;
}

HeatMapPanel panelOf(const RoutedText& text, std::string title, int choice, bool perToken) {
    const DocumentCounts counts = countAssignments(text, choice, perToken);
    const numerics::GroupedCounts grouped = counts.view(text);
    HeatMapPanel panel;
    panel.title = std::move(title);
    panel.rowLabels = rowsOf(text);
    panel.columnLabels = expertLabels(text.experts());
    panel.rowsBeforeGap = text.domains().size();
    const auto asMatrix = [&](const std::vector<double>& values) {
        return Matrix{panel.rowLabels.size(), counts.width, {values.begin(), values.end()}};
    };
    panel.matrix = asMatrix(numerics::groupShares(grouped));
    const numerics::Intervals intervals = numerics::bootstrapShares(grouped);
    panel.low = asMatrix(intervals.low);
    panel.high = asMatrix(intervals.high);
    // The same test decides for all cells of the panel; the text as a whole has none.
    panel.cellMarks = numerics::discoveries(numerics::permutationChances(grouped));
    panel.cellMarks.resize(panel.matrix.values.size());
    return panel;
}

std::vector<HeatMapPanel> panelsOf(const BuildContext& context, const Measure& measure) {
    std::vector<HeatMapPanel> panels;
    if (!context.request.layer) {
        for (const LayerId layer : routedLayers(context)) {
            context.throwIfStopped();
            panels.push_back(panelOf(routedText(context, layer),
                                     fmt::format("layer {}", layer.value), numerics::kAnyChoice,
                                     measure.perToken));
            panels.back().layer = layer;
        }
        return panels;
    }
    const RoutedText text = routedText(context, *context.request.layer);
    const int topK = text.topK();
    if (measure.perToken || topK == 1) {
        panels.push_back(panelOf(text, "", numerics::kAnyChoice, measure.perToken));
        return panels;
    }
    panels.push_back(panelOf(text, "first choice", 0, false));
    context.throwIfStopped();
    if (topK == 2) {
        panels.push_back(panelOf(text, "second choice", 1, false));
    }
    panels.push_back(panelOf(text, topK == 2 ? "either" : fmt::format("any of {} choices", topK),
                             numerics::kAnyChoice, false));
    return panels;
}

std::string uniformText(const RoutedText& text, bool perToken) {
    const int experts = text.experts();
    const int topK = text.topK();
    const double uniform = static_cast<double>(perToken ? topK : 1) / experts;
    return perToken ? fmt::format(" An even spread gives {}/{} = {:.3f}.", topK, experts, uniform)
                    : fmt::format(" An even spread gives 1/{} = {:.3f}.", experts, uniform);
}

/// Of so few documents no order of them is unlikely enough.
std::string tooFewText(const RoutedText& text) {
    constexpr std::ptrdiff_t kFewest = 3;
    std::size_t few = 0;
    for (std::size_t domain = 0; domain < text.domains().size(); ++domain) {
        const auto documents = std::count(text.domainOf().begin(), text.domainOf().end(),
                                          static_cast<std::int32_t>(domain));
        few += documents < kFewest ? 1 : 0;
    }
    return few == 0 ? std::string()
                    : fmt::format(
                          " {} of {} domains {} fewer than {} documents: too few to tell "
                          "them from chance, and for intervals that say much.",
                          few, text.domains().size(), few == 1 ? "has" : "have", kFewest);
}

}  // namespace

Figure buildDomains(const BuildContext& context) {
    const Measure measure = measureOf(context);
    HeatMapFigure body;
    body.panels = panelsOf(context, measure);
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
    figure.howToRead += uniformText(text, measure.perToken);
    figure.howToRead += tooFewText(text);
    if (text.domains().empty()) {
        figure.howToRead +=
            " This text names no domains: they come with a column of a table, or with one folder "
            "per "
            "domain.";
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
