// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"
#include "core/numerics/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr int kMostBars = 16;

RankCountsPanel makePanel(std::string title, std::vector<std::uint64_t> counts, int ranks) {
    RankCountsPanel panel;
    panel.title = std::move(title);
    panel.ranks = panel.allRanks = ranks;
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

/// The table of a layer and how many tokens are behind it.
struct LayerCounts {
    std::vector<std::uint64_t> counts;
    int ranks = 0;
    std::uint64_t tokens = 0;  ///< that were counted
};

// Of selected tokens from their norms and scores, by the code that the analysis counts with.
LayerCounts selectedCounts(const BuildContext& context, LayerId layer, LayerCounts all) {
    const TokenNumbers& numbers = context.memory.numbers();
    const BranchId branch = context.request.branch;
    if (!numbers.has(layer, branch)) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("Rank counts of selected tokens are made of the norms and scores of "
                        "single tokens, which this session does not hold for layer {}. Add "
                        "them with: moescope analyze ... --experiments norms_scores",
                        layer.value));
    }
    const auto rows = numbers.kept(layer, branch).rowsOf(context.counted(context.tokens()));
    all.tokens = TokenSelection(rows).count();
    std::fill(all.counts.begin(), all.counts.end(), 0);
    numbers.addRankCounts(layer, branch, rows, all.counts, context.stop);
    return all;
}

LayerCounts countsAt(const BuildContext& context, LayerId layer) {
    const NdArray array = context.read("count", layer);
    LayerCounts all{countsOf(array), static_cast<int>(array.shape()[0])};
    return context.request.tokens ? selectedCounts(context, layer, std::move(all)) : all;
}

/// Selected tokens that are counted, at the layer where fewest are.
void saySelected(const BuildContext& context, const std::vector<LayerId>& layers, Figure& figure) {
    if (!context.request.tokens) {
        return;
    }
    const TokenSelection counted = context.counted(context.tokens());
    std::uint64_t least = counted.count();
    for (const LayerId layer : layers) {
        const KeptTokens kept = context.memory.numbers().kept(layer, context.request.branch);
        least = std::min(least, TokenSelection(kept.rowsOf(counted)).count());
    }
    if (least == 0) {
        throw Error(ErrorCode::Usage,
                    fmt::format("None of {} is counted: no norms and scores of them are kept, or "
                                "they are first tokens of documents, which this session leaves "
                                "out.",
                                describe(context.tokens())));
    }
    context.saySelection(figure, least, counted.count(), "norms and scores");
}

// ALL: the sum over the layers. Layers with another number of experts have no common table.
std::optional<RankCountsPanel> totalPanel(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("count");
    std::vector<std::uint64_t> sum;
    int ranks = 0;
    for (const LayerId layer : info.layers) {
        const auto [counts, experts, tokens] = countsAt(context, layer);
        if (sum.empty()) {
            sum.resize(counts.size());
            ranks = experts;
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

// Bars of some ranks: the block of the table where both ranks are among them. What is said of the
// whole table stays.
RankCountsPanel restricted(RankCountsPanel panel, const RankRange& range) {
    const int count = range.last - range.first + 1;
    std::vector<std::uint64_t> block;
    for (int score = range.first - 1; score < range.last; ++score) {
        for (int norm = range.first - 1; norm < range.last; ++norm) {
            block.push_back(panel.count(score, norm));
        }
    }
    panel.counts = std::move(block);
    panel.ranks = count;
    panel.firstRank = range.first - 1;
    return panel;
}

void checkRanks(const RankRange& range, int ranks) {
    const int count = range.last - range.first + 1;
    if (range.first < 1 || count < 1 || range.last > ranks) {
        throw Error(ErrorCode::Usage,
                    fmt::format("Ranks {}:{} were asked for, but there are ranks 1 to {}.",
                                range.first, range.last, ranks));
    }
    if (count > kMostBars) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("Ranks {}:{} are {} ranks; bars can be read for at most {}. Without "
                        "a range, all ranks are drawn as a heat map.",
                        range.first, range.last, count, kMostBars));
    }
}

// The most frequent score rank of each norm rank, ties to the lower one, as agreeing ranks count.
std::vector<int> modes(const RankCountsPanel& panel) {
    std::vector<int> rows;
    for (int norm = 0; norm < panel.ranks; ++norm) {
        int best = 0;
        for (int score = 1; score < panel.ranks; ++score) {
            best = panel.count(score, norm) > panel.count(best, norm) ? score : best;
        }
        rows.push_back(best);
    }
    return rows;
}

std::vector<std::string> rankLabels(int ranks) {
    std::vector<std::string> labels;
    for (int rank = 1; rank <= ranks; ++rank) {
        labels.push_back(std::to_string(rank));
    }
    return labels;
}

/// "rho = 0.85", with a true minus sign.
std::string correlationOf(const RankCountsPanel& panel) {
    const double rho = panel.spearman.value_or(0.0);
    return fmt::format("\xCF\x81 = {}{:.2f}", rho < 0.0 ? "\xE2\x88\x92" : "", std::abs(rho));
}

std::string summaryOf(const RankCountsPanel& panel) {
    return panel.title + ": " + correlationOf(panel);
}

/// What a map has no room for.
std::string agreementOf(const RankCountsPanel& panel) {
    return fmt::format(
        " {}: {:.1f} % of the counts on the diagonal ({:.1f} % at random), {} of {} norm ranks "
        "with "
        "the same most frequent score rank.",
        panel.title, panel.diagonalShare.value_or(0.0) * 100.0, 100.0 / panel.ranks,
        panel.agreeingRanks.value_or(0), panel.ranks);
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
    body.diagonalLine = true;
    body.markName = "most frequent score rank";
    for (const RankCountsPanel& from : panels) {
        HeatMapPanel panel;
        panel.title = summaryOf(from);
        panel.rowLabels = panel.columnLabels = rankLabels(from.ranks);
        const auto n = static_cast<std::size_t>(from.ranks);
        panel.columnMarks = modes(from);
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

namespace {

/// Counted tokens, as the caption says them.
std::uint64_t tokensOf(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("count");
    if (!context.isSelection()) {
        return info.tokens;
    }
    const LayerId layer = context.layerOf(info);
    const KeptTokens kept = context.memory.numbers().kept(layer, context.request.branch);
    return TokenSelection(kept.rowsOf(context.counted(context.tokens()))).count();
}

RankCountsPanel layerPanel(const BuildContext& context, LayerId layer) {
    LayerCounts layerCounts = countsAt(context, layer);
    return makePanel(fmt::format("layer {}", layer.value), std::move(layerCounts.counts),
                     layerCounts.ranks);
}

// One small map for each layer: bars would be hairlines.
Figure buildSideBySide(const BuildContext& context) {
    const std::vector<LayerId> layers = context.layersOf(context.require("count"));
    std::vector<RankCountsPanel> panels;
    for (const LayerId layer : layers) {
        panels.push_back(layerPanel(context, layer));
    }
    HeatMapFigure body = asHeatMaps(context, panels);
    double high = 0.0;
    for (std::size_t i = 0; i < panels.size(); ++i) {
        high = std::max(high, upperEnd(panels[i].counts));
        body.panels[i].title = std::to_string(layers[i].value) + ": " + correlationOf(panels[i]);
        body.panels[i].layer = layers[i];
        body.panels[i].ownScale.reset();
    }
    body.bar.scale =
        makeScale(context.request.colourMap.value_or(ColourMap::Viridis), std::pair(0.0, high));
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, false);
    }
    Figure figure =
        context.frame("rank counts, " + context.layersText() + " side by side", tokensOf(context));
    saySelected(context, layers, figure);
    figure.howToRead =
        "Layer: \xCF\x81 = Spearman's correlation of both ranks. The largest ranks at the top "
        "right; bright on the rising "
        "diagonal: the router ranks experts by the size of their outputs. Dots: the most frequent "
        "score "
        "rank of each norm rank.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace

Figure buildRankCounts(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("count");
    if (!context.request.layer && context.request.sideBySide) {
        return buildSideBySide(context);
    }
    std::vector<RankCountsPanel> panels;
    if (context.request.layer) {
        panels.push_back(layerPanel(context, *context.request.layer));
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
                                  tokensOf(context));
    saySelected(context,
                context.request.layer && !context.request.withTotal
                    ? std::vector{*context.request.layer}
                    : info.layers,
                figure);
    const int ranks = panels.front().ranks;
    figure.howToRead = fmt::format(
        "Rank {0} = largest. Norm ranks go from left to right; in each group one bar per score "
        "rank. "
        "A tall bar at {0}/{0}: the router prefers the expert with the largest output. The line is "
        "what chance would give. \xCF\x81 = Spearman's correlation of both ranks; diagonal = share "
        "of the counts at equal ranks ({1:.1f} % by chance); agree = norm ranks whose most "
        "frequent "
        "score rank is the same.",
        ranks, 100.0 / ranks);
    if (context.request.ranks) {
        checkRanks(*context.request.ranks, ranks);
        for (RankCountsPanel& panel : panels) {
            panel = restricted(std::move(panel), *context.request.ranks);
        }
        figure.howToRead += fmt::format(" Of {} ranks, {} to {} are shown.", ranks,
                                        context.request.ranks->first, context.request.ranks->last);
        figure.body = GroupedBarsFigure{std::move(panels)};
    } else if (ranks > kMostBars) {
        figure.howToRead = fmt::format(
            "Rank {} = largest; bright on the rising diagonal: the router ranks experts by the "
            "size of their outputs. Dots: the most frequent score rank of each norm rank. "
            "\xCF\x81 = Spearman's correlation of both ranks.",
            ranks);
        for (const RankCountsPanel& panel : panels) {
            figure.howToRead += agreementOf(panel);
        }
        figure.body = asHeatMaps(context, panels);
    } else {
        figure.body = GroupedBarsFigure{std::move(panels)};
    }
    return figure;
}

}  // namespace moescope::figures
