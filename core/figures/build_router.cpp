// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/clustered.h"
#include "core/figures/limits.h"
#include "core/figures/paper_values.h"
#include "core/figures/router_regression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace moescope::figures {
namespace {

constexpr std::array<const char*, 3> kRoles{"gate", "up", "down"};

/// The similarity of weights that the router's was held against, as the session says.
struct Against {
    std::string experiment, name;
};

Against againstOf(const BuildContext& context) {
    return isAgainstMeanNeurons(context.require("regression"))
               ? Against{"mean_neuron_similarity", "mean neuron similarity"}
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

HeatMapPanel mapPanel(std::string title, Matrix matrix) {
    HeatMapPanel panel;
    panel.title = std::move(title);
    for (std::size_t i = 0; i < matrix.rows; ++i) {
        panel.rowLabels.push_back(std::to_string(i));
    }
    panel.columnLabels = panel.rowLabels;
    panel.matrix = std::move(matrix);
    return panel;
}

ScaleBar scaleBar(const BuildContext& context, Limits limits,
                  std::span<const HeatMapPanel> panels) {
    ColourScale scale = makeScale(context.request.colourMap.value_or(ColourMap::Viridis), limits);
    for (const HeatMapPanel& panel : panels) {
        markBeyond(scale, panel.matrix, context.request.maskDiagonal);
    }
    return ScaleBar{scale, "cosine similarity"};
}

Limits together(Limits one, Limits other) {
    if (!one || !other) {
        return one ? one : other;
    }
    return std::pair(std::min(one->first, other->first), std::max(one->second, other->second));
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

/// "gate in layers 3 and 4": what has no line, since weights or router rows are no numbers.
std::string gapsOf(const BuildContext& context, const std::vector<LayerId>& layers) {
    const session::QuantityInfo& info = context.require("regression");
    std::string text;
    for (const std::string& role : rolesOf(context)) {
        std::vector<int> without;
        for (const LayerId layer : layers) {
            const NdArray values = context.read("regression", layer);
            if (!std::isfinite(regressionStatistic(info, values, role, "r"))) {
                without.push_back(layer.value);
            }
        }
        if (!without.empty()) {
            text += fmt::format("{}{} in {} {}", text.empty() ? "" : "; ", role,
                                without.size() == 1 ? "layer" : "layers", fmt::join(without, ", "));
        }
    }
    return text.empty() ? text
                        : fmt::format(" No regression, for want of numbers that vary: {}.", text);
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
        panel.lines.push_back({group, regressionStatistic(info, values, role, "slope"),
                               regressionStatistic(info, values, role, "intercept")});
        square = regressionStatistic(info, values, role, "r2");
    }
    square = context.request.layer ? square : meanSquare(context, index);
    if (std::isfinite(square)) {
        panel.note =
            fmt::format("{}r\xC2\xB2 = {:.2f}", context.request.layer ? "" : "mean ", square);
    }
    return panel;
}

/// Rows of statistics by layer and role, means and published means below.
class RouterTable {
public:
    explicit RouterTable(const BuildContext& context)
        : m_context(context),
          m_info(context.require("regression")),
          m_paper(findPaperModel(context.head().model)) {
        using Kind = TableColumn::Kind;
        m_body.columns = {{"layer", Kind::Text, {}, {}}, {"matrix", Kind::Text, {}, {}}};
        for (const auto& [id, title] : kStatistics) {
            m_body.columns.push_back({title, Kind::Number, {}, {}});
        }
        if (m_paper != nullptr) {
            m_body.columns.push_back({"paper's r", Kind::Number, {}, {}});
        }
    }

    [[nodiscard]] TableFigure filled() {
        const std::vector<std::string> roles = rolesOf(m_context);
        for (const LayerId layer : m_info.layers) {
            const NdArray values = m_context.read("regression", layer);
            for (const std::string& role : roles) {
                (void)roleIndex(m_context, role);
                m_body.layers.push_back(layer);
                addRow(std::to_string(layer.value), role, publishedR(layer, role),
                       [&](const char* statistic) {
                           return regressionStatistic(m_info, values, role, statistic);
                       });
            }
        }
        for (const std::string& role : roles) {
            addSummary("mean", role, meanSquare(m_context, roleIndex(m_context, role)));
        }
        for (const std::string& role : roles) {
            const PaperValue* value =
                m_paper == nullptr ? nullptr : findPaperValue(*m_paper, Measure::RouterFit, role);
            if (value != nullptr) {
                addSummary("published", role, value->value);
            }
        }
        return std::move(m_body);
    }

private:
    static constexpr std::array<std::pair<const char*, const char*>, 6> kStatistics{
        {{"slope", "slope"},
         {"intercept", "intercept"},
         {"r", "r"},
         {"r2", "r\xC2\xB2"},
         {"p", "p"},
         {"stderr", "std. error"}}};

    template <typename Of>
    void addRow(const std::string& layer, const std::string& role, double published, Of of) {
        m_body.columns[0].texts.push_back(layer);
        m_body.columns[1].texts.push_back(role);
        for (std::size_t i = 0; i < kStatistics.size(); ++i) {
            m_body.columns[2 + i].numbers.push_back(of(kStatistics[i].first));
        }
        if (m_paper != nullptr) {
            m_body.columns.back().numbers.push_back(published);
            m_body.columns.back().texts.emplace_back(std::isnan(published) ? "\u2013" : "");
        }
        ++m_body.rows;
    }

    void addSummary(const std::string& name, const std::string& role, double square) {
        addRow(name, role, std::nan(""), [&](std::string_view statistic) {
            return statistic == "r2" ? square : std::nan("");
        });
        ++m_body.summaryRows;
    }

    [[nodiscard]] double publishedR(LayerId layer, const std::string& role) const {
        const PaperValue* value = m_paper == nullptr
                                      ? nullptr
                                      : findPaperValue(*m_paper, Measure::RouterCorrelation, role);
        const int index = value == nullptr ? -1 : layer.value - value->layers.front();
        return index >= 0 && static_cast<std::size_t>(index) < value->series.size()
                   ? value->series[static_cast<std::size_t>(index)]
                   : std::nan("");
    }

    const BuildContext& m_context;
    const session::QuantityInfo& m_info;
    const PaperModel* m_paper;
    TableFigure m_body;
};

}  // namespace

Figure buildRouterSimilarity(const BuildContext& context) {
    const Against against = againstOf(context);
    const session::QuantityInfo& info = context.require("router");
    HeatMapFigure body;
    body.diagonalMasked = context.request.maskDiagonal;
    if (context.request.layer) {
        const Matrix router = toMatrix(context.read("router", context.request.layer));
        body.panels.push_back(mapPanel("router", router));
        body.panels.front().ownScale =
            scaleBar(context, limitsFor(context, info, router), body.panels);
        // The weights' maps share one scale, as they do in their own figure.
        Limits limits;
        for (const std::string& role : rolesOf(context)) {
            (void)roleIndex(context, role);
            auto map = weightMap(context, against, role, *context.request.layer, router.rows);
            if (map) {
                const session::QuantityInfo* weights =
                    context.source.find({context.request.branch, against.experiment, role});
                limits = together(limits, limitsFor(context, *weights, *map));
                body.panels.push_back(mapPanel(role, std::move(*map)));
            }
        }
        body.bar = scaleBar(context, limits, std::span(body.panels).subspan(1));
    } else {
        Limits limits;
        for (const LayerId layer : context.layersOf(info)) {
            HeatMapPanel panel = mapPanel(fmt::format("layer {}", layer.value),
                                          toMatrix(context.read("router", layer)));
            panel.layer = layer;
            limits = widened(limits, panel.matrix, body.diagonalMasked);
            body.panels.push_back(std::move(panel));
        }
        const ColourRange& range = context.request.range;
        if (range.kind == ColourRange::Kind::Fixed) {
            limits = std::pair(range.low, range.high);
        }
        body.bar = scaleBar(context, limits, body.panels);
    }
    if (context.request.clustered) {
        orderByClustering(body, &meanOfHalves);
    }
    const std::string beside =
        context.request.layer && body.panels.size() > 1 ? " and " + against.name : "";
    Figure figure = context.frame(
        "router similarity" + beside + (context.request.layer ? "" : ", " + context.layersText()),
        0);
    if (body.diagonalMasked) {
        figure.caption += " The diagonal is 1 by definition and left out.";
    }
    figure.caption += context.request.clustered ? kClusteredText : "";
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
    figure.caption += gapsOf(context, layers);
    figure.body = std::move(body);
    return figure;
}

Figure buildRouterTable(const BuildContext& context) {
    TableFigure body = RouterTable(context).filled();
    Figure figure = context.frame("router similarity on " + againstOf(context).name, 0);
    figure.howToRead =
        "Y = router similarity, X = weight similarity, over the pairs of experts of a layer; p is "
        "that of a slope of 0. The last rows average the unrounded r\xC2\xB2 over layers.";
    if (const PaperModel* paper = findPaperModel(context.head().model)) {
        figure.howToRead +=
            fmt::format(" Published: tables 3 and 5 of arXiv 2406.18219 for {}.", paper->title);
    }
    figure.caption += gapsOf(context, context.require("regression").layers);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
