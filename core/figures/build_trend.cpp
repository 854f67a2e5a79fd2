// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/experiments/catalogue.h"
#include "core/figures/build_context.h"
#include "core/figures/similarity_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A similarity whose maps a trend is drawn of.
struct TrendSource {
    std::string_view experiment;
    std::string_view title;
    std::string_view valueName;
    bool hasRoles = false;        ///< gate, up and down; else the one quantity
    std::string_view quantity{};  ///< without roles
    double unrelated = 0.0;       ///< value of unrelated vectors
};

constexpr std::array kSources{
    TrendSource{"weight_similarity", "weights", "cosine similarity", true},
    TrendSource{"mean_neuron_similarity", "mean neurons", "cosine similarity", true},
    TrendSource{"matched_similarity", "matched neurons", "cosine similarity", true},
    TrendSource{"router_similarity", "router rows", "cosine similarity", false, "router"},
    TrendSource{"output_similarity", "outputs", "angular similarity", false, "mean_angular", 0.5},
};

/// One map per layer becomes one panel.
struct TrendPanel {
    const TrendSource* source;
    std::string role;
    const session::QuantityInfo* info;
};

std::vector<std::string> wantedRoles(const BuildContext& context) {
    static const std::vector<std::string> kRoles{"gate", "up", "down"};
    for (const std::string& role : context.request.roles) {
        if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} has no role \"{}\"; it has gate, up and down.",
                                    context.info.name, role));
        }
    }
    return context.request.roles.empty() ? kRoles : context.request.roles;
}

bool isWanted(const BuildContext& context, const TrendSource& source) {
    const auto& wanted = context.request.experiments;
    return wanted.empty() ||
           std::find(wanted.begin(), wanted.end(), source.experiment) != wanted.end();
}

void checkExperiments(const BuildContext& context) {
    for (const std::string& id : context.request.experiments) {
        const auto known = experimentsOf(context.info);
        if (std::find(known.begin(), known.end(), id) == known.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} is drawn of {}; \"{}\" is none of them.",
                                    context.info.name, fmt::join(known, ", "), id));
        }
    }
}

std::vector<TrendPanel> panelsOf(const BuildContext& context) {
    std::vector<TrendPanel> panels;
    const std::string suffix = context.request.relative ? "_relative" : "";
    const auto add = [&](const TrendSource& source, const std::string& role,
                         const std::string& quantity) {
        const session::QuantityInfo* info = context.source.find(
            {context.request.branch, std::string(source.experiment), quantity + suffix});
        if (info != nullptr && !info->layers.empty()) {
            panels.push_back({&source, role, info});
        }
    };
    for (const TrendSource& source : kSources) {
        if (!isWanted(context, source)) {
            continue;
        }
        if (!source.hasRoles) {
            add(source, "", std::string(source.quantity));
            continue;
        }
        for (const std::string& role : wantedRoles(context)) {
            add(source, role, role);
        }
    }
    if (panels.empty()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("This session holds none of the {}similarities that were asked "
                                "for.",
                                context.request.relative ? "relative " : ""));
    }
    return panels;
}

std::vector<std::string> columnLabels(const session::QuantityInfo& info) {
    const auto count =
        static_cast<std::size_t>(info.shape.empty() ? std::uint64_t{0} : info.shape.back());
    return labelsOf(info.axes.size() > 1 ? info.axes[1] : session::Axis{}, count);
}

/// "F", "S": what stands behind the experts in any of the maps.
std::vector<std::string> othersOf(const std::vector<TrendPanel>& panels) {
    std::vector<std::string> others;
    for (const TrendPanel& panel : panels) {
        const auto labels = columnLabels(*panel.info);
        const std::size_t experts = countBeforeGap(labels);
        for (std::size_t i = experts; experts > 0 && i < labels.size(); ++i) {
            if (std::find(others.begin(), others.end(), labels[i]) == others.end()) {
                others.push_back(labels[i]);
            }
        }
    }
    return others;
}

LineChartPanel readPanel(const BuildContext& context, const TrendPanel& from,
                         const std::vector<std::string>& others, std::size_t layers) {
    LineChartPanel panel;
    panel.title = from.role;
    panel.lines.assign(1 + others.size(), std::vector<double>(layers, kNaN));
    panel.low = panel.high = std::vector<double>(layers, kNaN);
    const auto labels = columnLabels(*from.info);
    for (const LayerId layer : from.info->layers) {
        const auto at = static_cast<std::size_t>(layer.value);
        if (layer.value < 0 || at >= layers) {
            continue;
        }
        const Matrix map = toMatrix(context.source.read(from.info->id, layer));
        const std::size_t named = labels.size() == map.columns ? countBeforeGap(labels) : 0;
        const std::size_t experts = named > 0 ? named : map.rows;
        const SimilaritySummary summary = summarise(map, experts);
        panel.lines[0][at] = summary.mean;
        panel.low[at] = summary.low;
        panel.high[at] = summary.high;
        for (std::size_t i = 0; i < summary.withOthers.size(); ++i) {
            const auto line = std::find(others.begin(), others.end(), labels[experts + i]);
            if (line != others.end()) {
                panel.lines[1 + static_cast<std::size_t>(line - others.begin())][at] =
                    summary.withOthers[i];
            }
        }
    }
    return panel;
}

/// Matching raises the similarity of unrelated matrices above 0: by how much, the session knows.
std::optional<double> unrelatedOf(const BuildContext& context, const TrendSource& source) {
    if (source.experiment != "matched_similarity") {
        return source.unrelated;
    }
    const session::QuantityInfo* random =
        context.source.find({context.request.branch, "matched_similarity", "random"});
    return random == nullptr || random->layers.empty()
               ? std::nullopt
               : std::optional(context.source.read(random->id, random->layers.front()).at(0));
}

std::string captionOf(const BuildContext& context, const LineChartFigure& body,
                      const std::vector<TrendPanel>& panels) {
    std::string sources;
    for (const LineChartGroup& group : body.groups) {
        sources +=
            fmt::format("{}{}: {}", sources.empty() ? "" : "; ", group.title, group.valueName);
    }
    std::string text =
        "Per layer, mean similarity over all pairs of different experts; the band reaches from the "
        "least to the most similar pair";
    text += body.lines.size() > 1
                ? ", the other lines are means over the experts of their similarity with F or S. "
                : ". ";
    text += "Similarities: " + sources + ".";
    if (context.request.relative) {
        text += " Relative: after subtracting F, or the mean of the experts where there is no F.";
    }
    text += baselinesOf(context.head(), body.lines);
    for (const TrendPanel& panel : panels) {
        if (panel.info->tokens > 0) {
            return text + fmt::format(" {} {}.", panel.info->tokens,
                                      panel.info->tokens == 1 ? "token" : "tokens");
        }
    }
    return text;
}

}  // namespace

Figure buildSimilarityTrend(const BuildContext& context) {
    checkExperiments(context);
    const std::vector<TrendPanel> panels = panelsOf(context);
    const std::vector<std::string> others = othersOf(panels);
    const std::size_t layers = context.head().model.layers.size();
    LineChartFigure body;
    body.positionTitle = "layer";
    for (std::size_t layer = 0; layer < layers; ++layer) {
        body.positions.push_back(static_cast<double>(layer));
    }
    body.lines = {"mean of experts"};
    for (const std::string& other : others) {
        body.lines.push_back("experts with " + other);
    }
    body.band = "least to most similar pair";
    const TrendSource* last = nullptr;
    std::uint64_t tokens = 0;
    for (const TrendPanel& panel : panels) {
        if (panel.source != last) {
            last = panel.source;
            LineChartGroup group;
            group.title = last->title;
            group.valueName = last->valueName;
            if (!context.request.relative) {
                group.reference = unrelatedOf(context, *last);
            }
            body.groups.push_back(std::move(group));
        }
        tokens = std::max(tokens, panel.info->tokens);
        body.groups.back().panels.push_back(readPanel(context, panel, others, layers));
    }
    Figure figure = context.frame(
        context.request.relative ? "relative similarity over layers" : "similarity over layers",
        tokens);
    figure.caption = captionOf(context, body, panels);
    figure.provenance.definition = figure.caption;
    figure.provenance.experiment.clear();
    for (const LineChartGroup& group : body.groups) {
        const auto* source = std::find_if(
            kSources.begin(), kSources.end(),
            [&](const TrendSource& candidate) { return candidate.title == group.title; });
        figure.provenance.experiment +=
            (figure.provenance.experiment.empty() ? "" : ", ") + std::string(source->experiment);
    }
    figure.howToRead =
        "Low = different experts. A line that falls with depth: experts grow more diverse; dashed "
        "= "
        "what unrelated vectors would give.";
    if (context.request.roles.size() == 1) {
        figure.provenance.role = context.request.roles.front();
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
