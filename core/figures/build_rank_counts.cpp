// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"
#include "core/numerics/ranks.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

constexpr int kMostBars = 16;

RankCountsPanel makePanel(std::string title, std::vector<std::uint64_t> counts, int ranks) {
    RankCountsPanel panel;
    panel.title = std::move(title);
    panel.ranks = ranks;
    std::uint64_t firstRow = 0;
    for (int i = 0; i < ranks; ++i) {
        firstRow += counts[static_cast<std::size_t>(i)];
    }
    panel.uniform = ranks > 0 ? static_cast<double>(firstRow) / ranks : 0.0;
    const numerics::RankAgreement agreement =
        numerics::rankAgreement(counts, static_cast<std::size_t>(ranks));
    panel.spearman = agreement.spearman;
    panel.diagonalShare = agreement.diagonalShare;
    panel.agreeingRanks = static_cast<int>(agreement.agreeingRanks);
    panel.counts = std::move(counts);
    return panel;
}

std::vector<std::uint64_t> countsOf(const NdArray& array) {
    if (array.shape().size() != 2 || array.shape()[0] != array.shape()[1]) {
        throw Error(ErrorCode::BadSession,
                    "rank_counts/count in the session is not a square table; the file is damaged.");
    }
    const auto values = array.values<std::uint64_t>();
    return {values.begin(), values.end()};
}

// ALL: the sum over the layers. Layers with another number of experts have no common table.
std::optional<RankCountsPanel> totalPanel(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("count");
    std::vector<std::uint64_t> sum;
    int ranks = 0;
    for (const LayerId layer : info.layers) {
        const NdArray array = context.read("count", layer);
        const std::vector<std::uint64_t> counts = countsOf(array);
        if (sum.empty()) {
            sum.resize(counts.size());
            ranks = static_cast<int>(array.shape()[0]);
        }
        if (counts.size() != sum.size()) {
            return std::nullopt;
        }
        for (std::size_t i = 0; i < sum.size(); ++i) {
            sum[i] += counts[i];
        }
    }
    return sum.empty() ? std::nullopt
                       : std::optional(makePanel(fmt::format("ALL ({} layers)", info.layers.size()),
                                                 sum, ranks));
}

std::vector<std::string> rankLabels(int ranks) {
    std::vector<std::string> labels;
    for (int rank = 1; rank <= ranks; ++rank) {
        labels.push_back(std::to_string(rank));
    }
    return labels;
}

std::string summaryOf(const RankCountsPanel& panel) {
    return fmt::format("{}: \xCF\x81 = {:.2f}, diagonal {:.1f} %", panel.title,
                       panel.spearman.value_or(0.0), panel.diagonalShare.value_or(0.0) * 100.0);
}

// A few corner cells hold most tokens and would leave the rest dark: the scale ends at the 99.5th
// percentile, and its bar marks that values lie beyond.
double upperEnd(std::vector<std::uint64_t> counts) {
    const std::size_t index = (counts.size() - 1) * 995 / 1000;
    std::nth_element(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(index),
                     counts.end());
    return static_cast<double>(counts[index]);
}

// Many experts: bars would be hairlines, so the table itself, largest ranks at the top right.
HeatMapFigure asHeatMaps(const BuildContext& context, const std::vector<RankCountsPanel>& panels) {
    HeatMapFigure body;
    body.rowTitle = "score rank";
    body.columnTitle = "norm rank";
    body.firstRowAtBottom = true;
    body.integral = true;
    for (const RankCountsPanel& from : panels) {
        HeatMapPanel panel;
        panel.title = summaryOf(from);
        panel.rowLabels = panel.columnLabels = rankLabels(from.ranks);
        const auto n = static_cast<std::size_t>(from.ranks);
        panel.matrix = {n, n, std::vector<float>(from.counts.begin(), from.counts.end())};
        ColourScale scale = makeScale(context.request.colourMap.value_or(ColourMap::Viridis),
                                      std::pair(0.0, upperEnd(from.counts)));
        markBeyond(scale, panel.matrix, false);
        panel.ownScale = ScaleBar{scale, "tokens", true};
        body.bar = *panel.ownScale;
        body.panels.push_back(std::move(panel));
    }
    if (body.panels.size() == 1) {
        body.panels.front().ownScale.reset();
    }
    return body;
}

}  // namespace

Figure buildRankCounts(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("count");
    std::vector<RankCountsPanel> panels;
    if (context.request.layer) {
        const NdArray array = context.read("count", context.request.layer);
        panels.push_back(makePanel(fmt::format("layer {}", context.request.layer->value),
                                   countsOf(array), static_cast<int>(array.shape()[0])));
    }
    if (!context.request.layer || context.request.withTotal) {
        if (auto total = totalPanel(context)) {
            panels.push_back(std::move(*total));
        } else if (panels.empty()) {
            throw Error(ErrorCode::Usage,
                        "The layers of this session have different numbers of experts, so their "
                        "rank counts have no common table; choose a layer.");
        }
    }
    Figure figure = context.frame(context.request.layer ? "rank counts" : "rank counts, all layers",
                                  info.tokens);
    const int ranks = panels.front().ranks;
    figure.howToRead = fmt::format(
        "Rank {0} = largest. Norm ranks go from left to right; in each group one bar per score "
        "rank. "
        "A tall bar at {0}/{0}: the router prefers the expert with the largest output. The line is "
        "what chance would give.",
        ranks);
    if (ranks > kMostBars) {
        figure.howToRead = fmt::format(
            "Rank {} = largest; bright on the rising diagonal: the router ranks experts by the "
            "size "
            "of their outputs.",
            ranks);
        figure.body = asHeatMaps(context, panels);
    } else {
        figure.body = GroupedBarsFigure{std::move(panels)};
    }
    return figure;
}

}  // namespace moescope::figures
