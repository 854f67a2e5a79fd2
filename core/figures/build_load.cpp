// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/limits.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "load_balance";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
std::vector<std::uint64_t> countsOf(const BuildContext& context, LayerId layer) {
    return numerics::expertCounts(routedText(context, layer).choices());
}

std::string simulatedText(const LoadSimulation& load) {
    std::string text = fmt::format(
        " Batches are of {} consecutive tokens (a last one that is not full is left out), or the "
        "whole text where it is shorter.",
        load.batchTokens);
    text += load.devices ? fmt::format(" Devices: {}.", *load.devices)
                         : fmt::format(" Devices: {}, or half as many as there are experts.",
                                       kMostUsualDevices);
    text +=
        " Idle: experts never chosen. Of batches, worst batch: max/mean within them. Dropped at "
        "f: beyond capacity. In order, by load: max/mean of devices.";
    return text;
}

int devicesFor(const LoadSimulation& load, LayerId layer, int experts) {
    if (load.devices && *load.devices > experts) {
        throw Error(ErrorCode::Usage,
                    fmt::format("{} devices are not possible: layer {} has {} experts; give 1 to "
                                "{} devices.",
                                *load.devices, layer.value, experts, experts));
    }
    return load.devices.value_or(usualDevices(experts));
}

struct Columns {
    explicit Columns(TableFigure& table) : m_table(table) {}
    void add(const std::string& name, TableColumn::Kind kind, double value) {
        if (m_next == m_table.columns.size()) {
            m_table.columns.push_back({name, kind, {}, {}});
        }
        m_table.columns[m_next++].numbers.push_back(value);
    }

private:
    TableFigure& m_table;
    std::size_t m_next = 0;
};

void addRow(const RoutedText& text, LayerId layer, const LoadSimulation& simulated,
            TableFigure& table) {
    using Kind = TableColumn::Kind;
    const numerics::Choices choices = text.choices();
    const std::vector<std::uint64_t> counts = numerics::expertCounts(choices);
    const numerics::LoadSummary load = numerics::loadOf(counts);
    Columns columns(table);
    columns.add("layer", Kind::Count, layer.value);
    columns.add("experts", Kind::Count, choices.experts);
    columns.add("idle", Kind::Count, static_cast<double>(load.idle));
    columns.add("max/mean", Kind::Number, load.maxOverMean);
    columns.add("variation", Kind::Number, load.variation);
    columns.add("entropy", Kind::Number, load.entropy);
    std::vector<numerics::BatchLoad> batches;
    batches.reserve(simulated.capacities.size());
    for (const double capacity : simulated.capacities) {
        batches.push_back(numerics::batchLoad(choices, simulated.batchTokens, capacity));
    }
    columns.add("of batches", Kind::Number, batches.front().meanMaxOverMean);
    columns.add("worst batch", Kind::Number, batches.front().worstMaxOverMean);
    for (std::size_t i = 0; i < batches.size(); ++i) {
        columns.add(fmt::format("dropped at {}", simulated.capacities[i]), Kind::Number,
                    batches[i].dropped);
    }
    const int devices = devicesFor(simulated, layer, choices.experts);
    columns.add("in order", Kind::Number,
                numerics::placementImbalance(counts, devices, numerics::Placement::Contiguous));
    columns.add("by load", Kind::Number,
                numerics::placementImbalance(counts, devices, numerics::Placement::Greedy));
    table.layers.push_back(layer);
    ++table.rows;
}

}  // namespace

Figure buildLoadMap(const BuildContext& context) {
    const std::vector<LayerId>& layers = context.require("ids").layers;
    std::vector<std::vector<std::uint64_t>> counts;
    std::size_t experts = 0;
    for (const LayerId layer : layers) {
        counts.push_back(countsOf(context, layer));
        experts = std::max(experts, counts.back().size());
    }
    HeatMapPanel panel;
    panel.columnLabels = expertLabels(static_cast<int>(experts));
    panel.matrix = {layers.size(), experts,
                    std::vector<float>(layers.size() * experts, static_cast<float>(kNaN))};
    double high = 1.0;
    for (std::size_t row = 0; row < layers.size(); ++row) {
        panel.rowLabels.push_back(std::to_string(layers[row].value));
        double mean = 0.0;
        for (const std::uint64_t count : counts[row]) {
            mean += static_cast<double>(count) / static_cast<double>(counts[row].size());
        }
        for (std::size_t e = 0; e < counts[row].size() && mean > 0.0; ++e) {
            const auto load = static_cast<float>(static_cast<double>(counts[row][e]) / mean);
            panel.matrix.values[row * experts + e] = load;
            high = std::max(high, static_cast<double>(load));
        }
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
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::Viridis),
                          isFixed ? std::pair(range.low, range.high) : std::pair(0.0, high)),
                "load, 1 = even"};
    markBeyond(body.bar.scale, panel.matrix, false);
    body.panels.push_back(std::move(panel));
    Figure figure = derivedFrame(context, kExperiment, "load of experts",
                                 routedText(context, layers.front()).tokens());
    figure.howToRead =
        "A cell is an expert's assignments over the layer's mean: 1 = its even share, "
        "0 = never chosen.";
    figure.body = std::move(body);
    return figure;
}

Figure buildLoadTable(const BuildContext& context) {
    const LoadSimulation& simulated = context.request.load;
    requirePossible(simulated);
    TableFigure table;
    const std::vector<LayerId>& layers = context.require("ids").layers;
    for (const LayerId layer : layers) {
        addRow(routedText(context, layer), layer, simulated, table);
    }
    Figure figure = derivedFrame(context, kExperiment, "load of experts, table",
                                 routedText(context, layers.front()).tokens());
    figure.caption += simulatedText(simulated);
    figure.body = std::move(table);
    return figure;
}

Figure buildLoadCurve(const BuildContext& context) {
    LineChartFigure body;
    body.positionTitle = "experts, least loaded first";
    body.positionsAreLayers = false;
    body.lines = {"assignments", "even load"};
    LineChartGroup group;
    group.title = "load";
    group.valueName = "share of assignments";
    std::uint64_t tokens = 0;
    std::size_t experts = 0;
    std::vector<double> even;
    for (const LayerId layer : routedLayers(context)) {
        const std::vector<std::uint64_t> counts = countsOf(context, layer);
        if (experts == 0) {
            experts = counts.size();
            for (std::size_t i = 0; i <= experts; ++i) {
                body.positions.push_back(static_cast<double>(i));
                even.push_back(static_cast<double>(i) / static_cast<double>(experts));
            }
            tokens = routedText(context, layer).tokens();
        }
        if (counts.size() != experts) {
            continue;  // another number of experts has no common axis
        }
        group.panels.push_back(
            {fmt::format("layer {}", layer.value), {numerics::lorenzCurve(counts), even}, {}, {}});
    }
    if (context.request.layer) {
        group.panels.front().title.clear();
    }
    body.groups.push_back(std::move(group));
    Figure figure = derivedFrame(context, kExperiment, "load curve", tokens);
    figure.howToRead =
        "Lorenz curve: what share of all assignments the least loaded experts take together. The "
        "further below the straight line, the more uneven.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
