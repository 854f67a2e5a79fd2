// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"
#include "core/figures/margins.h"
#include "core/figures/routed_text.h"
#include "core/numerics/expert_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "router_margin";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Lower edges of bins, 1-2-5; what is below the first counts into the bin before it.
constexpr std::array kScoreEdges{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
constexpr std::array kLogitEdges{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0};
constexpr std::array kEntropyEdges{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
constexpr std::array kThresholds{0.01, 0.05, 0.1};
constexpr std::size_t kMostNear = 50;
constexpr std::uint64_t kContext = 4;
const std::string kDash = "\xE2\x80\x93";

std::uint64_t tokensOf(const std::vector<LayerMargins>& layers) {
    return layers.empty() ? 0 : layers.front().selection.size();
}

/// In place of a figure of a session that has no margins.
Figure withoutMargins(const BuildContext& context, const std::string& what) {
    Figure figure = derivedFrame(context, kExperiment, what, 0);
    figure.body = NoticeFigure{"No margins in this session: add the experiment router_margin"};
    return figure;
}

std::string onlyMarginText(const std::vector<LayerMargins>& layers) {
    const bool whole = std::all_of(layers.begin(), layers.end(),
                                   [](const LayerMargins& each) { return each.isWhole(); });
    return whole ? std::string()
                 : std::string(
                       " Logits, entropy and flips are missing: they need the experiment "
                       "router_margin.");
}

/// "< 0.0005", "0.0005", ...: a bin is called by its lower edge.
std::vector<std::string> edgeLabels(std::span<const double> edges) {
    std::vector<std::string> labels{fmt::format("<{}", edges.front())};
    for (const double edge : edges) {
        labels.push_back(fmt::format("{}", edge));
    }
    return labels;
}

/// Share of the values in each bin; NaN counts nowhere.
std::vector<float> shares(const std::vector<double>& values, std::span<const double> edges) {
    std::vector<double> counts(edges.size() + 1);
    double all = 0.0;
    for (const double value : values) {
        if (!std::isnan(value)) {
            ++counts[static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), value) -
                                              edges.begin())];
            ++all;
        }
    }
    std::vector<float> result;
    result.reserve(counts.size());
    for (const double count : counts) {
        result.push_back(static_cast<float>(all > 0.0 ? count / all : kNaN));
    }
    return result;
}

HeatMapPanel histogram(const std::string& title, std::span<const double> edges) {
    HeatMapPanel panel;
    panel.title = title;
    panel.columnLabels = edgeLabels(edges);
    panel.matrix.columns = edges.size() + 1;
    return panel;
}

void addHistogram(const LayerMargins& layer, const std::vector<double>& values,
                  std::span<const double> edges, HeatMapPanel& panel) {
    panel.rowLabels.push_back(std::to_string(layer.layer.value));
    const std::vector<float> row = shares(values, edges);
    panel.matrix.values.insert(panel.matrix.values.end(), row.begin(), row.end());
    ++panel.matrix.rows;
}

std::vector<double> relativeEntropies(const LayerMargins& layer) {
    std::vector<double> values;
    for (std::size_t row = 0; row < layer.entropy.size(); ++row) {
        values.push_back(layer.relativeEntropy(row));
    }
    return values;
}

double meanOf(const std::vector<double>& values) {
    double sum = 0.0;
    double count = 0.0;
    for (const double value : values) {
        sum += std::isfinite(value) ? value : 0.0;
        count += std::isfinite(value) ? 1.0 : 0.0;
    }
    return count > 0.0 ? sum / count : kNaN;
}

double shareBelow(const std::vector<double>& values, double threshold) {
    double count = 0.0;
    for (const double value : values) {
        count += value < threshold ? 1.0 : 0.0;
    }
    return values.empty() ? kNaN : count / static_cast<double>(values.size());
}

double shareFlipped(const LayerMargins& layer, std::size_t change) {
    double count = 0.0;
    for (std::size_t row = 0; row < layer.selection.size(); ++row) {
        count += layer.flipped(row, change) ? 1.0 : 0.0;
    }
    return layer.selection.empty() ? kNaN : count / static_cast<double>(layer.selection.size());
}

/// Writes a table row by row; the first row names the columns.
class RowWriter {
public:
    explicit RowWriter(TableFigure& table) : m_table(table) {}
    void begin() { m_next = 0; }
    void number(const std::string& name, double value, TableColumn::Kind kind) {
        TableColumn& into = next(name, kind);
        into.numbers.push_back(value);
        into.texts.push_back(std::isnan(value) ? kDash : std::string());
    }
    void number(const std::string& name, double value) {
        number(name, value, TableColumn::Kind::Number);
    }
    void text(const std::string& name, std::string value) {
        next(name, TableColumn::Kind::Text).texts.push_back(std::move(value));
    }
    void end() { ++m_table.rows; }

private:
    TableColumn& next(const std::string& name, TableColumn::Kind kind) {
        if (m_next == m_table.columns.size()) {
            m_table.columns.push_back({name, kind, {}, {}});
        }
        return m_table.columns[m_next++];
    }
    TableFigure& m_table;
    std::size_t m_next = 0;
};

/// "0.05, 0.2, bfloat16"
std::string flipsText(const LayerMargins& layer, std::size_t row) {
    std::string text;
    for (std::size_t change = 0; change < layer.changes.size(); ++change) {
        if (layer.flipped(row, change)) {
            text += (text.empty() ? "" : ", ") + layer.changes[change];
        }
    }
    return text;
}

}  // namespace

Figure buildMargins(const BuildContext& context) {
    const std::vector<LayerMargins> layers = marginsOfLayers(context);
    if (layers.empty()) {
        return withoutMargins(context, "margins of routers");
    }
    const bool whole = std::all_of(layers.begin(), layers.end(),
                                   [](const LayerMargins& each) { return each.isWhole(); });
    HeatMapFigure body;
    body.panels.push_back(histogram("score margin from", kScoreEdges));
    if (whole) {
        body.panels.push_back(histogram("logit margin from", kLogitEdges));
        body.panels.push_back(histogram("entropy / ln E from", kEntropyEdges));
    }
    for (const LayerMargins& layer : layers) {
        addHistogram(layer, layer.selection, kScoreEdges, body.panels[0]);
        if (whole) {
            addHistogram(layer, layer.logit, kLogitEdges, body.panels[1]);
            addHistogram(layer, relativeEntropies(layer), kEntropyEdges, body.panels[2]);
        }
    }
    body.isPair = false;
    body.rowTitle = "layer";
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
    Figure figure = derivedFrame(context, kExperiment, "margins of routers", tokensOf(layers));
    figure.howToRead =
        "A row is a layer's histogram: which share of its tokens has a margin from this value to "
        "the next column's. Far left: a little noise sends the token to another expert. "
        "Entropy 1: all experts score alike; 0: one has it all." +
        onlyMarginText(layers);
    figure.body = std::move(body);
    return figure;
}

Figure buildMarginTable(const BuildContext& context) {
    const std::vector<LayerMargins> layers = marginsOfLayers(context);
    if (layers.empty()) {
        return withoutMargins(context, "margins of routers, table");
    }
    TableFigure table;
    RowWriter rows(table);
    const bool whole = std::all_of(layers.begin(), layers.end(),
                                   [](const LayerMargins& each) { return each.isWhole(); });
    for (const LayerMargins& layer : layers) {
        rows.begin();
        rows.number("layer", layer.layer.value, TableColumn::Kind::Count);
        rows.number("median margin", numerics::quantile(layer.selection, 0.5));
        for (const double threshold : kThresholds) {
            rows.number(fmt::format("below {}", threshold), shareBelow(layer.selection, threshold));
        }
        if (whole) {
            rows.number("median of logits", numerics::quantile(layer.logit, 0.5));
            rows.number("entropy", meanOf(relativeEntropies(layer)));
            for (std::size_t change = 0; change < layer.changes.size(); ++change) {
                const bool rounds = change + 1 == layer.changes.size();
                rows.number(rounds ? "flips in " + layer.changes[change]
                                   : "flips at " + layer.changes[change],
                            shareFlipped(layer, change));
            }
        }
        rows.end();
        table.layers.push_back(layer.layer);
    }
    Figure figure =
        derivedFrame(context, kExperiment, "margins of routers, table", tokensOf(layers));
    figure.howToRead =
        "Below: share of tokens whose selection score margin is smaller. Entropy: mean over ln E. "
        "Flips: share of tokens that get other experts with noise of this size on the router's "
        "input, or with the router in bfloat16." +
        onlyMarginText(layers);
    figure.body = std::move(table);
    return figure;
}

Figure buildNearFlips(const BuildContext& context) {
    std::vector<LayerMargins> layers = marginsOfLayers(context);
    if (layers.empty()) {
        return withoutMargins(context, "tokens near a flip");
    }
    const LayerMargins& layer = layers.front();
    const auto routing = figures::rowsOf(
        context.memory.routing(layer.layer, context.request.branch), context.tokens());
    const auto tokens = context.memory.tokens();
    std::vector<std::size_t> order(layer.selection.size());
    std::iota(order.begin(), order.end(), 0U);
    std::erase_if(order, [&](std::size_t row) { return std::isnan(layer.selection[row]); });
    const std::size_t shown = std::min(kMostNear, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown),
                      order.end(), [&](std::size_t a, std::size_t b) {
                          return std::pair(layer.selection[a], a) <
                                 std::pair(layer.selection[b], b);
                      });
    order.resize(shown);
    TableFigure table;
    RowWriter rows(table);
    for (const std::size_t row : order) {
        const std::uint64_t token = routing->tokenAt(row);
        rows.begin();
        rows.number("token", static_cast<double>(token), TableColumn::Kind::Count);
        rows.text("in its context", excerptAround(*tokens, token, kContext));
        rows.number("last chosen", routing->id(row, routing->topK - 1), TableColumn::Kind::Count);
        if (!layer.next.empty()) {
            rows.number("next", layer.next[row], TableColumn::Kind::Count);
        }
        rows.number("margin", layer.selection[row]);
        if (layer.isWhole()) {
            rows.number("of logits", layer.logit[row]);
            rows.number("entropy", layer.relativeEntropy(row));
            rows.text("flips under", flipsText(layer, row));
        }
        rows.end();
    }
    Figure figure =
        derivedFrame(context, kExperiment, "tokens near a flip", layer.selection.size());
    if (table.rows == 0) {
        figure.body = NoticeFigure{"Every expert is chosen: there is no margin"};
        return figure;
    }
    figure.howToRead = fmt::format(
        "The {} tokens whose choice is closest. Next: the expert that takes the place of the last "
        "chosen one when the margin is lost. Flips under: noise on the router's input that "
        "changes the choice, over the input's own size.{}",
        table.rows, onlyMarginText(layers));
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
