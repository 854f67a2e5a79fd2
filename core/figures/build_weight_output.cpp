// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/figures/build_context.h"
#include "core/figures/weight_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 3> kRoles{"gate", "up", "down"};

/// A weight similarity that is set against that of the outputs.
struct Kind {
    std::string_view experiment;
    std::string_view title;
    std::string_view axis;
    std::string_view prefix;  ///< of its quantities: prefix + role
};

constexpr std::array kKinds{
    Kind{"weight_similarity", "weights", "weight similarity", ""},
    Kind{"mean_neuron_similarity", "mean neurons", "mean neuron similarity", ""},
    Kind{"matched_similarity", "matched neurons", "matched similarity", ""},
};

/// One kind and role that the session has.
struct Source {
    const Kind* kind;
    std::string role;
    const session::QuantityInfo* info;
};

bool asked(const std::vector<std::string>& wanted, std::string_view name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

std::vector<Source> sourcesOf(const BuildContext& context) {
    std::vector<Source> sources;
    for (const Kind& kind : kKinds) {
        for (const std::string_view role : kRoles) {
            if (!asked(context.request.experiments, kind.experiment) ||
                !asked(context.request.roles, role)) {
                continue;
            }
            const session::QuantityInfo* info =
                context.source.find({context.request.branch, std::string(kind.experiment),
                                     std::string(kind.prefix) + std::string(role)});
            if (info != nullptr && !info->layers.empty()) {
                sources.push_back({&kind, std::string(role), info});
            }
        }
    }
    if (sources.empty()) {
        throw Error(ErrorCode::Usage,
                    "The session holds none of the weight similarities that were asked for; run "
                    "weight_similarity, mean_neuron_similarity or matched_similarity.");
    }
    return sources;
}

bool has(const session::QuantityInfo& info, LayerId layer) {
    return std::find(info.layers.begin(), info.layers.end(), layer) != info.layers.end();
}

class Builder {
public:
    explicit Builder(const BuildContext& context)
        : m_context(context),
          m_sources(sourcesOf(context)),
          m_outputs(context.require("mean_angular")) {}

    [[nodiscard]] Figure ofLayer(LayerId layer) const {
        ScatterFigure body;
        body.groups = {{"pairs of experts", ScatterGroup::Kind::Series, 0}};
        body.groupCount = 1;
        for (const Source& source : m_sources) {
            if (!has(*source.info, layer)) {
                continue;
            }
            WeightOutputRelation relation = relationOf(source, layer);
            ScatterPanel panel;
            panel.title = source.role;  // the axis says which similarity
            panel.note = fmt::format("r = {}, \u03c1 = {}", correlationText(relation.pearson),
                                     correlationText(relation.spearman));
            panel.xTitle = source.kind->axis;
            panel.yTitle = "output similarity";
            panel.group.assign(relation.weights.size(), 0);
            panel.x = std::move(relation.weights);
            panel.y = std::move(relation.outputs);
            panel.pairs = std::move(relation.experts);
            body.panels.push_back(std::move(panel));
        }
        Figure figure = frame();
        figure.howToRead =
            "A dot is a pair of experts. On a rising line, alike weights mean alike outputs; r is "
            "Pearson's correlation, \u03c1 Spearman's.";
        figure.body = std::move(body);
        return figure;
    }

    [[nodiscard]] Figure overLayers() const {
        const std::size_t layers = m_context.head().model.layers.size();
        LineChartFigure body;
        body.positionTitle = "layer";
        for (std::size_t layer = 0; layer < layers; ++layer) {
            body.positions.push_back(static_cast<double>(layer));
        }
        for (const Source& source : m_sources) {
            if (std::find(body.lines.begin(), body.lines.end(), source.role) == body.lines.end()) {
                body.lines.push_back(source.role);
            }
        }
        const Kind* last = nullptr;
        for (const Source& source : m_sources) {
            if (source.kind != last) {
                last = source.kind;
                body.groups.push_back(emptyGroup(*source.kind, body.lines.size(), layers));
            }
            fill(source, lineOf(body, source.role), body.groups.back());
        }
        Figure figure = frame();
        figure.howToRead =
            "Near 1: similarity of weights, which needs no text, tells which experts have alike "
            "outputs; at the dashed 0 it tells nothing.";
        figure.body = std::move(body);
        return figure;
    }

private:
    [[nodiscard]] WeightOutputRelation relationOf(const Source& source, LayerId layer) const {
        const Matrix weights = toMatrix(m_context.source.read(source.info->id, layer));
        const Matrix outputs = toMatrix(m_context.source.read(m_outputs.id, layer));
        return relate(weights, outputs, static_cast<std::size_t>(m_context.experts(layer)));
    }

    static LineChartGroup emptyGroup(const Kind& kind, std::size_t lines, std::size_t layers) {
        LineChartGroup group;
        group.title = kind.title;
        group.valueName = "correlation with outputs";
        group.reference = 0.0;
        for (const char* title : {"Pearson", "Spearman"}) {
            LineChartPanel panel;
            panel.title = title;
            panel.lines.assign(lines, std::vector<double>(layers, kNaN));
            group.panels.push_back(std::move(panel));
        }
        return group;
    }

    static std::size_t lineOf(const LineChartFigure& body, const std::string& role) {
        return static_cast<std::size_t>(std::find(body.lines.begin(), body.lines.end(), role) -
                                        body.lines.begin());
    }

    void fill(const Source& source, std::size_t line, LineChartGroup& group) const {
        for (const LayerId layer : source.info->layers) {
            const auto at = static_cast<std::size_t>(layer.value);
            if (has(m_outputs, layer) && at < group.panels[0].lines[line].size()) {
                const WeightOutputRelation relation = relationOf(source, layer);
                group.panels[0].lines[line][at] = relation.pearson;
                group.panels[1].lines[line][at] = relation.spearman;
            }
        }
    }

    [[nodiscard]] Figure frame() const {
        Figure figure = m_context.frame("weights and outputs", m_outputs.tokens);
        const auto* info = experiments::findExperiment("weight_output_relation");
        figure.caption = fmt::format("{} {} tokens.", info->definition, m_outputs.tokens);
        figure.provenance.definition = info->definition;
        figure.provenance.experiment = info->id;
        return figure;
    }

    const BuildContext& m_context;
    std::vector<Source> m_sources;
    const session::QuantityInfo& m_outputs;
};

}  // namespace

Figure buildWeightOutput(const BuildContext& context) {
    const Builder builder(context);
    return context.request.layer ? builder.ofLayer(*context.request.layer) : builder.overLayers();
}

}  // namespace moescope::figures
