// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::array<const char*, 3> kRoles{"gate", "up", "down"};

/// The similarity of weights that the router's was held against, as the session says.
struct Against {
    std::string experiment, name;
};

Against againstOf(const BuildContext& context) {
    const session::QuantityInfo& regression = context.require("regression");
    const bool byMeans = regression.longName.find("mean neuron") != std::string::npos;
    return byMeans ? Against{"mean_neuron_similarity", "mean neuron similarity"}
                   : Against{"weight_similarity", "weight similarity"};
}

/// The experts' part of a map.
Matrix ofExperts(const Matrix& map, std::size_t experts) {
    Matrix part{experts, experts, {}};
    for (std::size_t row = 0; row < experts; ++row) {
        for (std::size_t column = 0; column < experts; ++column) {
            part.values.push_back(map.at(row, column));
        }
    }
    return part;
}

/// Nothing where the session lacks it or it is smaller than the router's.
std::optional<Matrix> weightMap(const BuildContext& context, const Against& against,
                                const std::string& role, LayerId layer, std::size_t experts) {
    const session::QuantityInfo* info =
        context.source.find({context.request.branch, against.experiment, role});
    if (info == nullptr ||
        std::find(info->layers.begin(), info->layers.end(), layer) == info->layers.end()) {
        return std::nullopt;
    }
    const Matrix map = toMatrix(context.source.read(info->id, layer));
    return map.rows < experts || map.columns < experts ? std::nullopt
                                                       : std::optional(ofExperts(map, experts));
}

/// Of the map, of the quantity in all layers, or as asked.
Limits limitsFor(const BuildContext& context, const session::QuantityInfo& info,
                 const Matrix& matrix) {
    const ColourRange& range = context.request.range;
    const bool offDiagonal = context.request.maskDiagonal;
    switch (range.kind) {
        case ColourRange::Kind::Fixed:
            return std::pair(range.low, range.high);
        case ColourRange::Kind::AllLayers:
            return context.memory.cachedLimits(info.id.quantity, &limitsOverLayers, info,
                                               offDiagonal);
        case ColourRange::Kind::Layer:
            break;
    }
    return widened({}, matrix, offDiagonal);
}

HeatMapPanel mapPanel(const BuildContext& context, std::string title, Matrix matrix,
                      const session::QuantityInfo& info) {
    HeatMapPanel panel;
    panel.title = std::move(title);
    for (std::size_t i = 0; i < matrix.rows; ++i) {
        panel.rowLabels.push_back(std::to_string(i));
    }
    panel.columnLabels = panel.rowLabels;
    ColourScale scale = makeScale(context.request.colourMap.value_or(ColourMap::Viridis),
                                  limitsFor(context, info, matrix));
    markBeyond(scale, matrix, context.request.maskDiagonal);
    panel.ownScale = ScaleBar{scale, "cosine similarity"};
    panel.matrix = std::move(matrix);
    return panel;
}

std::vector<std::string> rolesOf(const BuildContext& context) {
    return context.request.roles.empty() ? std::vector<std::string>(kRoles.begin(), kRoles.end())
                                         : context.request.roles;
}

std::size_t roleIndex(const BuildContext& context, const std::string& role) {
    const auto* found = std::find(kRoles.begin(), kRoles.end(), role);
    if (found == kRoles.end()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} has no role \"{}\"; it has gate, up and down.",
                                context.info.name, role));
    }
    return static_cast<std::size_t>(found - kRoles.begin());
}

/// A statistic of the regression of a role; NaN where there is none.
double statistic(const session::QuantityInfo& info, const NdArray& values, std::size_t role,
                 const std::string& name) {
    if (values.shape().size() != 2 || info.axes.size() != 2) {
        throw Error(ErrorCode::BadSession,
                    "router_similarity/regression is not a table of roles and statistics; the "
                    "session is damaged.");
    }
    const auto& labels = info.axes[1].labels;
    const auto found = std::find(labels.begin(), labels.end(), name);
    const auto column = static_cast<std::uint64_t>(found - labels.begin());
    return found == labels.end() || role >= values.shape()[0] || column >= values.shape()[1]
               ? std::nan("")
               : values.at(role * values.shape()[1] + column);
}

std::vector<LayerId> layersShown(const BuildContext& context) {
    return context.request.layer ? std::vector<LayerId>{*context.request.layer}
                                 : context.require("regression").layers;
}

/// Mean of r squared over the layers, as the session keeps it; NaN before the run has come to it.
double meanSquare(const BuildContext& context, std::size_t role) {
    if (context.find("mean_r2") == nullptr) {
        return std::nan("");
    }
    const NdArray means = context.read("mean_r2", std::nullopt);
    return role < means.size() ? means.at(role) : std::nan("");
}

void addPairs(ScatterPanel& panel, const Matrix& weights, const Matrix& router, std::size_t group,
              LayerId layer) {
    for (std::size_t i = 1; i < router.rows; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            panel.x.push_back(weights.at(i, j));
            panel.y.push_back(router.at(i, j));
            panel.group.push_back(static_cast<std::uint16_t>(group));
            panel.pairs.emplace_back(static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(j));
            panel.layers.push_back(layer);
        }
    }
}

ScatterPanel regressionPanel(const BuildContext& context, const Against& against,
                             const std::string& role) {
    const std::size_t index = roleIndex(context, role);
    const session::QuantityInfo& info = context.require("regression");
    const std::vector<LayerId> layers = layersShown(context);
    ScatterPanel panel;
    panel.title = role;
    panel.xTitle = against.name;
    panel.yTitle = "router similarity";
    double square = std::nan("");
    for (std::size_t group = 0; group < layers.size(); ++group) {
        const LayerId layer = layers[group];
        const Matrix router = toMatrix(context.read("router", layer));
        const auto weights = weightMap(context, against, role, layer, router.rows);
        if (!weights) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} needs {}/{} of layer {} as well, which this "
                                    "session does not hold. Add it with: moescope analyze ... "
                                    "--experiments {}",
                                    context.info.name, against.experiment, role, layer.value,
                                    against.experiment));
        }
        addPairs(panel, *weights, router, group, layer);
        const NdArray values = context.read("regression", layer);
        panel.lines.push_back({group, statistic(info, values, index, "slope"),
                               statistic(info, values, index, "intercept")});
        square = statistic(info, values, index, "r2");
    }
    square = context.request.layer ? square : meanSquare(context, index);
    if (std::isfinite(square)) {
        panel.note =
            fmt::format("{}r\xC2\xB2 = {:.2f}", context.request.layer ? "" : "mean ", square);
    }
    return panel;
}

}  // namespace

Figure buildRouterSimilarity(const BuildContext& context) {
    const Against against = againstOf(context);
    const session::QuantityInfo& info = context.require("router");
    HeatMapFigure body;
    body.diagonalMasked = context.request.maskDiagonal;
    if (context.request.layer) {
        const Matrix router = toMatrix(context.read("router", context.request.layer));
        body.panels.push_back(mapPanel(context, "router", router, info));
        for (const std::string& role : rolesOf(context)) {
            (void)roleIndex(context, role);
            auto map = weightMap(context, against, role, *context.request.layer, router.rows);
            if (map) {
                const session::QuantityInfo* weights =
                    context.source.find({context.request.branch, against.experiment, role});
                body.panels.push_back(mapPanel(context, role, std::move(*map), *weights));
            }
        }
    } else {
        Limits limits;
        for (const LayerId layer : info.layers) {
            HeatMapPanel panel = mapPanel(context, fmt::format("layer {}", layer.value),
                                          toMatrix(context.read("router", layer)), info);
            panel.ownScale.reset();
            panel.layer = layer;
            limits = widened(limits, panel.matrix, body.diagonalMasked);
            body.panels.push_back(std::move(panel));
        }
        const ColourRange& range = context.request.range;
        if (range.kind == ColourRange::Kind::Fixed) {
            limits = std::pair(range.low, range.high);
        }
        body.bar.label = "cosine similarity";
        body.bar.scale = makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits);
        for (const HeatMapPanel& panel : body.panels) {
            markBeyond(body.bar.scale, panel.matrix, body.diagonalMasked);
        }
    }
    const std::string beside =
        context.request.layer && body.panels.size() > 1 ? " and " + against.name : "";
    Figure figure = context.frame(
        "router similarity" + beside + (context.request.layer ? "" : ", all layers"), 0);
    if (body.diagonalMasked) {
        figure.caption += " The diagonal is 1 by definition and left out.";
    }
    figure.body = std::move(body);
    return figure;
}

Figure buildRouterRegression(const BuildContext& context) {
    const Against against = againstOf(context);
    const std::vector<LayerId> layers = layersShown(context);
    ScatterFigure body;
    body.groupCount = static_cast<int>(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        body.groups.push_back(
            {std::to_string(layers[i].value), ScatterGroup::Kind::Series, static_cast<int>(i)});
    }
    for (const std::string& role : rolesOf(context)) {
        body.panels.push_back(regressionPanel(context, against, role));
    }
    Figure figure = context.frame(
        "router similarity on " + against.name + (context.request.layer ? "" : ", all layers"), 0);
    figure.howToRead =
        "A point is a pair of experts. Points along a rising line: experts whose weights are alike "
        "are addressed by similar router rows.";
    figure.body = std::move(body);
    return figure;
}

Figure buildRouterTable(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("regression");
    using Kind = TableColumn::Kind;
    TableFigure body;
    body.columns = {{"layer", Kind::Text, {}, {}}, {"matrix", Kind::Text, {}, {}}};
    const std::array<std::pair<const char*, const char*>, 6> statistics{{{"slope", "slope"},
                                                                         {"intercept", "intercept"},
                                                                         {"r", "r"},
                                                                         {"r2", "r\xC2\xB2"},
                                                                         {"p", "p"},
                                                                         {"stderr", "std. error"}}};
    for (const auto& [id, title] : statistics) {
        body.columns.push_back({title, Kind::Number, {}, {}});
    }
    const std::vector<std::string> roles = rolesOf(context);
    const auto add = [&](const std::string& layer, const std::string& role) {
        body.columns[0].texts.push_back(layer);
        body.columns[1].texts.push_back(role);
        ++body.rows;
    };
    for (const LayerId layer : info.layers) {
        const NdArray values = context.read("regression", layer);
        for (const std::string& role : roles) {
            add(std::to_string(layer.value), role);
            body.layers.push_back(layer);
            for (std::size_t i = 0; i < statistics.size(); ++i) {
                body.columns[2 + i].numbers.push_back(
                    statistic(info, values, roleIndex(context, role), statistics[i].first));
            }
        }
    }
    for (const std::string& role : roles) {
        add("mean", role);
        ++body.summaryRows;
        for (std::size_t i = 0; i < statistics.size(); ++i) {
            const bool isSquare = std::string_view(statistics[i].first) == "r2";
            body.columns[2 + i].numbers.push_back(
                isSquare ? meanSquare(context, roleIndex(context, role)) : std::nan(""));
        }
    }
    Figure figure = context.frame("router similarity on " + againstOf(context).name, 0);
    figure.howToRead =
        "Y = router similarity, X = weight similarity, over the pairs of experts of a layer; p is "
        "that of a slope of 0. The last rows average the unrounded r\xC2\xB2 over layers.";
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
