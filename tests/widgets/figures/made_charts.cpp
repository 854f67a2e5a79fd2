// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/widgets/figures/made_charts.h"

#include <cmath>
#include <random>

namespace moescope::tests {
namespace {

using namespace figures;

constexpr const char* kRoles[] = {"gate", "up", "down"};

Figure frame(const std::string& name, const std::string& title) {
    Figure figure;
    figure.name = name;
    figure.title = "made-moe: " + title;
    figure.caption = "Made-up numbers. Computed in float32.";
    figure.howToRead = "Near one another = alike.";
    figure.provenance.sessionUuid = "5a1f0c1e-0000-4000-8000-000000000001";
    figure.provenance.model = "made-moe";
    return figure;
}

FigurePointer share(Figure figure, FigureBody body) {
    figure.body = std::move(body);
    return std::make_shared<const Figure>(std::move(figure));
}

ScatterFigure expertGroups(int experts) {
    ScatterFigure body;
    for (int e = 0; e < experts; ++e) {
        body.groups.push_back({std::to_string(e), ScatterGroup::Kind::Expert, e});
    }
    body.groups.push_back({"F", ScatterGroup::Kind::Baseline, 0});
    body.groupCount = experts;
    return body;
}

ScatterPanel projected(const std::string& role, bool deep) {
    ScatterPanel panel;
    panel.title = role;
    panel.xTitle = "PC 1 (34.2 %)";
    panel.yTitle = "PC 2 (12.9 %)";
    panel.zTitle = deep ? "PC 3 (8.1 %)" : "";
    return panel;
}

}  // namespace

FigurePointer madeProjection(int experts, bool deep) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    ScatterFigure body = expertGroups(experts);
    for (const char* role : kRoles) {
        ScatterPanel panel = projected(role, deep);
        for (int e = 0; e <= experts; ++e) {
            const bool isDense = e == experts;
            panel.x.push_back(isDense ? -60.0F : 12.0F * normal(random));
            panel.y.push_back(isDense ? 4.0F : 8.0F * normal(random));
            if (deep) {
                panel.z.push_back(isDense ? 0.0F : 6.0F * normal(random));
            }
            panel.group.push_back(static_cast<std::uint16_t>(e));
            panel.labels.push_back(isDense ? "F" : std::to_string(e));
        }
        body.panels.push_back(std::move(panel));
    }
    return share(frame("expert-projection", "experts projected, layer 3"), std::move(body));
}

FigurePointer madeNeuronCloud(int experts, std::size_t points, bool deep) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    ScatterFigure body = expertGroups(experts);
    body.memberName = "neuron";
    for (const char* role : kRoles) {
        ScatterPanel panel = projected(role, deep);
        const std::size_t groups = body.groups.size();
        for (std::size_t i = 0; i < points; ++i) {
            const auto group = i * groups / points;
            const float at = static_cast<float>(group) / static_cast<float>(groups) * 6.283F;
            panel.x.push_back(std::cos(at) + 0.8F * normal(random));
            panel.y.push_back(std::sin(at) + 0.6F * normal(random));
            if (deep) {
                panel.z.push_back(0.5F * normal(random) + panel.x.back() * 0.3F);
            }
            panel.group.push_back(static_cast<std::uint16_t>(group));
            panel.member.push_back(static_cast<std::uint32_t>(i - group * points / groups));
        }
        body.panels.push_back(std::move(panel));
    }
    return share(frame("neuron-projection", "neurons projected, layer 3"), std::move(body));
}

FigurePointer madeRegression(int experts, int layers) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    ScatterFigure body;
    body.sharedAxes = false;
    body.groupCount = layers;
    for (int layer = 0; layer < layers; ++layer) {
        body.groups.push_back({std::to_string(layer), ScatterGroup::Kind::Series, layer});
    }
    double slope = 0.2;
    for (const char* role : kRoles) {
        ScatterPanel panel;
        panel.title = role;
        panel.note = layers == 1 ? "r\u00B2 = 0.33" : "mean r\u00B2 = 0.33";
        panel.xTitle = "mean neuron similarity";
        panel.yTitle = "router similarity";
        for (int layer = 0; layer < layers; ++layer) {
            for (int i = 1; i < experts; ++i) {
                for (int j = 0; j < i; ++j) {
                    const float x = 0.4F + 0.1F * normal(random);
                    panel.x.push_back(x);
                    panel.y.push_back(static_cast<float>(slope) * x +
                                      0.01F * static_cast<float>(layer) + 0.03F * normal(random));
                    panel.group.push_back(static_cast<std::uint16_t>(layer));
                    panel.pairs.emplace_back(i, j);
                    panel.layers.push_back(LayerId{layer});
                }
            }
            panel.lines.push_back({static_cast<std::size_t>(layer), slope, 0.01 * layer});
        }
        body.panels.push_back(std::move(panel));
        slope += 0.3;
    }
    return share(frame("router-regression", "router and weight similarity"), std::move(body));
}

FigurePointer madeTable(int layers) {
    TableFigure body;
    using Kind = TableColumn::Kind;
    body.columns = {{"layer", Kind::Text, {}, {}},       {"role", Kind::Text, {}, {}},
                    {"pairs", Kind::Count, {}, {}},      {"slope", Kind::Number, {}, {}},
                    {"intercept", Kind::Number, {}, {}}, {"r", Kind::Number, {}, {}},
                    {"r\u00B2", Kind::Number, {}, {}},   {"p", Kind::Number, {}, {}}};
    const auto add = [&](const std::string& layer, const std::string& role,
                         std::vector<double> numbers) {
        body.columns[0].texts.push_back(layer);
        body.columns[1].texts.push_back(role);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            body.columns[2 + i].numbers.push_back(numbers[i]);
        }
        ++body.rows;
    };
    for (int layer = 0; layer < layers; ++layer) {
        for (const char* role : kRoles) {
            const double r = std::sin(layer * 1.7 + static_cast<double>(role[0]));
            add(std::to_string(layer), role,
                {28.0, r * 0.5, 0.125, r, r * r, std::exp(-20.0 * r * r)});
            body.layers.push_back(LayerId{layer});
        }
    }
    for (const char* role : kRoles) {
        add("mean", role,
            {std::nan(""), std::nan(""), std::nan(""), std::nan(""), 0.33, std::nan("")});
        ++body.summaryRows;
    }
    return share(frame("router-table", "router and weight similarity"), std::move(body));
}

FigurePointer madeNeuronMap(int experts, std::size_t neurons, int tokens) {
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    NeuronMapFigure body;
    body.bar = {{ColourMap::Viridis, -0.28, 1.0, false, true}, "act(gate\u00B7x)"};
    for (int t = 0; t < tokens; ++t) {
        NeuronMapPanel panel;
        panel.title = std::to_string(t) + " \"alternative\": 3, 5";
        panel.chosen = {3, 5};
        const auto rows = static_cast<std::size_t>(experts) + 1;
        panel.values = {rows, neurons, {}};
        for (std::size_t row = 0; row < rows; ++row) {
            panel.rowLabels.push_back(row + 1 == rows ? "F" : std::to_string(row));
            std::size_t above = 0;
            double sum = 0.0;
            for (std::size_t n = 0; n < neurons; ++n) {
                const float x = 2.0F * normal(random) - (row == 1 ? 12.0F : 1.0F);
                const float value = x / (1.0F + std::exp(-x));
                panel.values.values.push_back(value);
                above += std::abs(value) > 0.001F ? 1 : 0;
                sum += static_cast<double>(std::abs(value));
            }
            panel.shareAbove.push_back(static_cast<float>(above) / static_cast<float>(neurons));
            panel.meanAbsolute.push_back(static_cast<float>(sum / static_cast<double>(neurons)));
        }
        body.panels.push_back(std::move(panel));
    }
    return share(frame("intermediate-states", "intermediate states, layer 3"), std::move(body));
}

}  // namespace moescope::tests
