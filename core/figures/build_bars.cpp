// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/domain_shares.h"
#include "core/figures/removal_everywhere.h"
#include "core/figures/removal_intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

// What each expert gets or is worth, as bars.
namespace moescope::figures {
namespace {

/// What the thin lines on bars are; why there are none.
std::string intervalsOf(const BarChartFigure& body) {
    for (const BarChartPanel& panel : body.panels) {
        for (const std::vector<double>& row : panel.low) {
            if (std::any_of(row.begin(), row.end(), [](double v) { return std::isfinite(v); })) {
                return " Thin upright lines: 95 % intervals (bootstrap over documents).";
            }
        }
    }
    return " A text of several documents would give intervals.";
}

/// Row after row of [rows, experts].
std::vector<std::vector<double>> rowsOfTable(const std::vector<double>& values,
                                             std::size_t experts) {
    std::vector<std::vector<double>> rows;
    for (std::size_t at = 0; at + experts <= values.size() && experts > 0; at += experts) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(at);
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(experts));
    }
    return rows;
}

BarChartPanel panelOf(const RoutedText& text, const ShownChoice& shown, bool perToken) {
    const DomainShares found = domainShares(text, shown.choice, perToken);
    BarChartPanel panel;
    panel.title = shown.title;
    panel.bars = rowsOfTable(found.shares, found.experts);
    panel.low = rowsOfTable(found.low, found.experts);
    panel.high = rowsOfTable(found.high, found.experts);
    panel.reference = evenShare(text, perToken);
    for (std::size_t row = 0; row < panel.bars.size(); ++row) {
        const auto begin = found.marks.begin() + static_cast<std::ptrdiff_t>(row * found.experts);
        panel.marks.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(found.experts));
    }
    return panel;
}

BarChartFigure expertBars(std::string valueName, std::vector<std::string> series,
                          std::vector<BarChartPanel> panels) {
    BarChartFigure body;
    body.categoryTitle = "expert";
    body.valueName = std::move(valueName);
    body.series = std::move(series);
    body.panels = std::move(panels);
    std::size_t experts = 0;
    for (const BarChartPanel& panel : body.panels) {
        experts = std::max(experts, panel.bars.front().size());
    }
    for (BarChartPanel& panel : body.panels) {  // layers may have fewer experts
        for (auto* table : {&panel.bars, &panel.low, &panel.high}) {
            for (std::vector<double>& row : *table) {
                row.resize(experts, std::nan(""));
            }
        }
        for (std::vector<std::uint8_t>& row : panel.marks) {
            row.resize(experts);
        }
    }
    body.categories = expertLabels(static_cast<int>(experts));
    return body;
}

RoutedText shownText(const BuildContext& context) {
    return routedText(context, context.layerOf(context.require("ids")));
}

}  // namespace

Figure buildDomainBars(const BuildContext& context) {
    const DomainMeasure measure = domainMeasure(context);
    const RoutedText text = shownText(context);
    std::vector<std::string> series = text.domains();
    series.emplace_back(kAllText);
    BarChartFigure body = expertBars(
        measure.barLabel, std::move(series),
        domainPanels(context, measure, [&](const RoutedText& each, const ShownChoice& shown) {
            return panelOf(each, shown, measure.perToken);
        }));
    body.lastIsOfAll = true;
    body.referenceName = "even spread";
    body.markName = "differs from all text";
    Figure figure = derivedFrame(context, measure.experiment, measure.what, text.tokens());
    figure.howToRead =
        "Bars of one height at an expert: every domain uses it alike. A dot: more or less than in "
        "all text, beyond chance." +
        intervalsOf(body) + domainText(text, measure.perToken);
    figure.body = std::move(body);
    return figure;
}

Figure buildLoadBars(const BuildContext& context) {
    std::vector<BarChartPanel> panels;
    for (const LayerId layer : routedLayers(context)) {
        context.throwIfStopped();
        const RoutedText text = routedText(context, layer);
        const DocumentCounts counts = countAssignments(text, numerics::kAnyChoice, false);
        const numerics::GroupedCounts grouped = counts.view(text);
        // The last row is the whole text.
        const auto last = [&](const std::vector<double>& values) {
            return std::vector(1, rowsOfTable(values, counts.width).back());
        };
        const numerics::Intervals intervals = numerics::bootstrapShares(grouped);
        BarChartPanel panel;
        panel.title = context.request.layer ? "" : fmt::format("layer {}", layer.value);
        panel.layer = layer;
        panel.bars = last(numerics::groupShares(grouped));
        panel.low = last(intervals.low);
        panel.high = last(intervals.high);
        panel.reference = evenShare(text, false);
        panels.push_back(std::move(panel));
    }
    BarChartFigure body = expertBars("share of assignments", {"assignments"}, std::move(panels));
    body.referenceName = "even load";
    const RoutedText text = shownText(context);
    Figure figure = derivedFrame(context, "load_balance", "load of experts", text.tokens());
    figure.howToRead = fmt::format(
        "Above the dashed line: chosen more often than its even share of 1/{} = {:.3f}.{}",
        text.experts(), evenShare(text, false), intervalsOf(body));
    figure.body = std::move(body);
    return figure;
}

Figure buildRemovalBars(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("everywhere");
    const RemovalOutcome intact = intactOutcome(context);
    const auto found = everywhereRemovals(context, intact, ExpertShares(context));
    const auto intervals = riseIntervals(context, "everywhere");
    BarChartPanel panel;
    const std::size_t experts = found->rises.size();
    if (experts == 0) {
        throw Error(
            ErrorCode::BadSession,
            "expert_removal/everywhere in the session is of no expert; the file is damaged.");
    }
    const std::vector<double> none(experts, std::nan(""));
    panel.bars = {found->rises, none};
    for (std::size_t e = 0; e < experts; ++e) {
        panel.bars[1][e] = likeLoadOf(found->rises, found->loads, e).rise;
    }
    const bool isKnown = intervals->low.size() == experts;
    panel.low = {isKnown ? intervals->low : none, none};
    panel.high = {isKnown ? intervals->high : none, none};
    BarChartFigure body =
        expertBars("rise of the loss (nat)", {"this index in every layer", "others of like load"},
                   {std::move(panel)});
    Figure figure =
        context.frame("loss without the experts of one index, in all layers", info.tokens);
    figure.howToRead = fmt::format(
        "The tallest bar is the index that breaks the model most. Beside it: the mean over other "
        "indices whose tokens are at most {} times as many, or as few; far above it means that "
        "more than load is lost.",
        kLikeLoad);
    figure.howToRead +=
        intactText(context, intact) + (isKnown ? intervalsOf(body) : intervalText(context, false));
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
