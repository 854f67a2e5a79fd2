// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kExperiment = "repetition";

/// Mixtral 8x7B on parts of the Pile, arXiv 2401.04088, table 5, in percent.
struct PublishedRow {
    std::string_view domain;
    std::array<double, 3> first, overlap;
};
constexpr std::array<int, 3> kPublishedLayers{0, 15, 31};
constexpr int kPublishedDepth = 32;
constexpr int kPublishedExperts = 8;
constexpr int kPublishedTopK = 2;
constexpr std::array kPublished{
    PublishedRow{"ArXiv", {14.0, 27.9, 22.7}, {46.5, 62.3, 52.9}},
    PublishedRow{"DM Mathematics", {14.1, 28.4, 19.7}, {44.9, 67.0, 44.5}},
    PublishedRow{"Github", {14.9, 28.1, 19.7}, {49.9, 66.9, 49.2}},
    PublishedRow{"Gutenberg", {13.9, 26.1, 26.3}, {49.5, 63.1, 52.2}},
    PublishedRow{"PhilPapers", {13.6, 25.3, 22.1}, {46.9, 61.9, 51.3}},
    PublishedRow{"PubMed Abstracts", {14.2, 24.6, 22.0}, {48.6, 61.6, 51.8}},
    PublishedRow{"StackExchange", {13.6, 27.2, 23.6}, {48.2, 64.6, 53.6}},
    PublishedRow{"Wikipedia (en)", {14.4, 23.6, 25.3}, {49.8, 62.1, 51.8}},
};

/// Positions with equal first choices and with overlapping sets, by document.
DocumentCounts countRepetition(const RoutedText& text) {
    DocumentCounts result;
    result.width = 2;
    result.counts.resize(2 * text.documents());
    result.totals.resize(text.documents());
    for (const RoutedText::Piece& piece : text.pieces()) {
        const numerics::Repetition found = numerics::repetitionOf(text.of(piece));
        result.counts[2 * piece.document] += static_cast<double>(found.sameFirst);
        result.counts[2 * piece.document + 1] += static_cast<double>(found.overlapping);
        result.totals[piece.document] += static_cast<double>(found.positions);
    }
    return result;
}

std::string overlapName(int topK) {
    return topK == 2 ? "first or second choice" : fmt::format("any of {} choices", topK);
}

/// The line of all text with its interval, and the band, from shares [domains + 1, 2].
void putLayer(const std::vector<double>& shares, const numerics::Intervals& intervals,
              std::size_t which, std::size_t at, LineChartPanel& panel) {
    const std::size_t rows = shares.size() / 2;
    const std::size_t all = (rows - 1) * 2 + which;
    panel.lines[0][at] = shares[all];
    panel.lineLow[0][at] = intervals.low[all];
    panel.lineHigh[0][at] = intervals.high[all];
    double low = kNaN;
    double high = kNaN;
    for (std::size_t row = 0; row + 1 < rows; ++row) {
        low = std::fmin(low, shares[row * 2 + which]);
        high = std::fmax(high, shares[row * 2 + which]);
    }
    if (!panel.low.empty()) {
        panel.low[at] = low;
        panel.high[at] = high;
    }
}

/// Published rows of the layer that is as deep as this one.
void addPublished(
    const BuildContext& context, TableFigure& table,
    const std::function<void(const std::string&, const std::array<double, 6>&)>& add) {
    const auto layers = static_cast<double>(context.head().model.layers.size());
    const double depth =
        context.request.layer->value * (kPublishedDepth - 1) / std::max(1.0, layers - 1.0);
    const auto nearest = static_cast<std::size_t>(
        std::min_element(kPublishedLayers.begin(), kPublishedLayers.end(),
                         [&](int a, int b) { return std::abs(a - depth) < std::abs(b - depth); }) -
        kPublishedLayers.begin());
    table.sections.push_back(
        {table.rows, fmt::format("Mixtral 8x7B, layer {} (arXiv 2401.04088, table 5)",
                                 kPublishedLayers[nearest])});
    for (const PublishedRow& row : kPublished) {
        add(std::string(row.domain),
            {row.first[nearest] / 100.0, kNaN, kNaN, row.overlap[nearest] / 100.0, kNaN, kNaN});
    }
}

}  // namespace

Figure buildRepetition(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("ids");
    const std::size_t layers = context.head().model.layers.size();
    const RoutedText first = routedText(context, info.layers.front());
    LineChartFigure body;
    body.positionTitle = "layer";
    for (std::size_t layer = 0; layer < layers; ++layer) {
        body.positions.push_back(static_cast<double>(layer));
    }
    body.lines = {"all text"};
    LineChartPanel panel;
    panel.lines.assign(1, std::vector<double>(layers, kNaN));
    panel.lineLow = panel.lineHigh = panel.lines;
    if (first.domains().size() > 1) {
        body.band = "least to most repetitive domain";
        panel.low = panel.high = std::vector<double>(layers, kNaN);
    }
    const int experts = first.experts();
    const int topK = first.topK();
    body.groups.push_back({"first choice",
                           "share of positions",
                           numerics::expectedFirstRepetition(experts),
                           {panel}});
    if (topK > 1) {
        body.groups.push_back({overlapName(topK),
                               "share of positions",
                               numerics::expectedOverlap(experts, topK),
                               {panel}});
    }
    for (const LayerId layer : info.layers) {
        context.throwIfStopped();
        const auto at = static_cast<std::size_t>(layer.value);
        if (layer.value < 0 || at >= layers) {
            continue;
        }
        const RoutedText text = routedText(context, layer);
        const DocumentCounts counts = countRepetition(text);
        const numerics::GroupedCounts grouped = counts.view(text);
        const std::vector<double> shares = numerics::groupShares(grouped);
        const numerics::Intervals intervals = numerics::bootstrapShares(grouped);
        for (std::size_t group = 0; group < body.groups.size(); ++group) {
            putLayer(shares, intervals, group, at, body.groups[group].panels.front());
        }
    }
    Figure figure =
        derivedFrame(context, kExperiment, "repetition of choices over layers", first.tokens());
    figure.howToRead +=
        " Dashed: independent even choices. Upright bars: 95 % intervals (bootstrap over "
        "documents).";
    figure.body = std::move(body);
    return figure;
}

Figure buildRepetitionTable(const BuildContext& context) {
    const LayerId layer = context.layerOf(context.require("ids"));
    FigureRequest request = context.request;
    request.layer = layer;
    const BuildContext here{context.source, request, context.info, context.memory};
    const RoutedText text = routedText(here, layer);
    const DocumentCounts counts = countRepetition(text);
    const numerics::GroupedCounts grouped = counts.view(text);
    const std::vector<double> shares = numerics::groupShares(grouped);
    const numerics::Intervals intervals = numerics::bootstrapShares(grouped);
    const int experts = text.experts();
    const int topK = text.topK();

    TableFigure table;
    const std::array<std::string, 6> names{"first choice",    "from",         "to",
                                           overlapName(topK), "overlap from", "overlap to"};
    table.columns.push_back({"domain", TableColumn::Kind::Text, {}, {}});
    table.columns.push_back({"positions", TableColumn::Kind::Count, {}, {}});
    for (const std::string& name : names) {
        table.columns.push_back({name, TableColumn::Kind::Number, {}, {}});
    }
    const auto add = [&](const std::string& name, double positions,
                         const std::array<double, 6>& values) {
        const std::string gap = "\xE2\x80\x93";  // a dash: not published, or not a measurement
        table.columns[0].texts.push_back(name);
        table.columns[1].numbers.push_back(positions);
        table.columns[1].texts.push_back(std::isnan(positions) ? gap : std::string());
        for (std::size_t i = 0; i < values.size(); ++i) {
            table.columns[2 + i].numbers.push_back(values[i]);
            table.columns[2 + i].texts.push_back(std::isnan(values[i]) ? gap : std::string());
        }
        ++table.rows;
    };
    const auto positionsOf = [&](std::size_t row) {
        double sum = 0.0;
        for (std::size_t d = 0; d < text.documents(); ++d) {
            const bool counted = row == text.domains().size() ||
                                 text.domainOf()[d] == static_cast<std::int32_t>(row);
            sum += counted ? counts.totals[d] : 0.0;
        }
        return sum;
    };
    const auto addMeasured = [&](const std::string& name, std::size_t row) {
        add(name, positionsOf(row),
            {shares[row * 2], intervals.low[row * 2], intervals.high[row * 2], shares[row * 2 + 1],
             intervals.low[row * 2 + 1], intervals.high[row * 2 + 1]});
    };
    for (std::size_t row = 0; row < text.domains().size(); ++row) {
        addMeasured(text.domains()[row], row);
    }
    if (experts == kPublishedExperts && topK == kPublishedTopK) {
        if (table.rows > 0) {
            table.sections.push_back({0, context.head().model.name});
        }
        addPublished(here, table, [&](const std::string& name, const std::array<double, 6>& row) {
            add(name, kNaN, row);
        });
    }
    addMeasured("all text", text.domains().size());
    add("independent even choices", kNaN,
        {numerics::expectedFirstRepetition(experts), kNaN, kNaN,
         numerics::expectedOverlap(experts, topK), kNaN, kNaN});
    table.summaryRows = 2;
    Figure figure = derivedFrame(here, kExperiment, "repetition of choices", text.tokens());
    figure.howToRead += " From and to: 95 % intervals (bootstrap over documents).";
    figure.body = std::move(table);
    return figure;
}

}  // namespace moescope::figures
