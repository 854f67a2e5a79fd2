// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Two sessions of one shape on one text: which experts each model chooses for a token (B5).
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/limits.h"
#include "core/figures/routing_agreement.h"
#include "core/figures/two_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {
namespace {

std::string nameOf(const session::Head& head, const session::Head& beside) {
    // Two runs of one model are told apart by their titles.
    return head.model.name == beside.model.name && !head.title.empty() ? head.title
                                                                       : head.model.name;
}

void requireFit(const BuildContext& context, const BuildMemory& other) {
    const std::string difference = differenceOf(context.head(), other.head());
    if (!difference.empty()) {
        throw Error(ErrorCode::Usage,
                    difference +
                        " Analyze both models on the same text, without changing the "
                        "number of chosen experts.");
    }
}

std::string percent(double share) {
    if (share > 0.0 && share < 0.0005) {
        return "below 0.1 %";
    }
    return fmt::format("{:.1f} %", 100.0 * share);
}

}  // namespace

const BuildMemory& requireOther(const BuildContext& context) {
    if (context.other == nullptr) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} sets two sessions beside each other: name the other "
                                "one with --with OTHER.h5.",
                                context.info.name));
    }
    if (!context.further.empty() && !context.info.takesSeries) {
        throw Error(ErrorCode::Usage,
                    fmt::format("The figure {} sets two sessions beside each other, and {} were "
                                "given; router-saturation takes a series.",
                                context.info.name, context.further.size() + 2));
    }
    requireFit(context, *context.other);
    return *context.other;
}

std::vector<const BuildMemory*> requireSeries(const BuildContext& context) {
    std::vector<const BuildMemory*> series{&context.memory, &requireOther(context)};
    for (const BuildMemory* further : context.further) {
        requireFit(context, *further);
        series.push_back(further);
    }
    return series;
}

std::vector<std::string> namesOf(const std::vector<const BuildMemory*>& series) {
    std::vector<std::string> models;
    std::vector<std::string> titles;
    for (const BuildMemory* each : series) {
        models.push_back(each->head().model.name);
        titles.push_back(each->head().title);
    }
    const auto areApart = [](std::vector<std::string> names) {
        std::sort(names.begin(), names.end());
        return std::adjacent_find(names.begin(), names.end()) == names.end();
    };
    if (areApart(models)) {
        return models;
    }
    if (areApart(titles)) {
        return titles;
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
        models[i] += fmt::format(" ({})", i + 1);
    }
    return models;
}

SessionNames namesOf(const BuildContext& context) {
    return {nameOf(context.head(), context.other->head()),
            nameOf(context.other->head(), context.head())};
}

void sayOther(const BuildContext& context, Figure& figure) {
    saySeries({&context.memory, context.other}, figure);
}

void saySeries(const std::vector<const BuildMemory*>& series, Figure& figure) {
    const session::Head& here = series.front()->head();
    for (std::size_t i = 1; i < series.size(); ++i) {
        const session::Head& other = series[i]->head();
        figure.provenance.other +=
            fmt::format("{}{} ({})", i == 1 ? "" : ", ", other.model.name, other.uuid);
        if (!other.run.dtype.empty() && other.run.dtype != here.run.dtype) {
            figure.caption +=
                fmt::format(" {} was computed in {}.", other.model.name, other.run.dtype);
        }
    }
}

RoutingPair routingsAt(const BuildContext& context, LayerId layer) {
    const TokenSelection tokens = context.tokens();
    return {rowsOf(context.routing(layer), tokens),
            rowsOf(context.other->routing(layer, context.request.branch, context.stop), tokens)};
}

void requireCommonLayers(const std::vector<double>& layers, const SessionNames& names) {
    if (layers.empty()) {
        throw Error(ErrorCode::Usage,
                    fmt::format("{} and {} have no layer with chosen experts in common yet.",
                                names.here, names.there));
    }
}

double missingValue() {
    return std::numeric_limits<double>::quiet_NaN();
}

Figure buildRoutingComparison(const BuildContext& context) {
    static_cast<void>(requireOther(context));
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure routing-comparison needs a layer.");
    }
    const SessionNames names = namesOf(context);
    RoutingPair pair = routingsAt(context, *context.request.layer);
    context.throwIfStopped();
    const RoutingAgreement agreement = agreementOf(*pair.here, *pair.there);
    RoutingMapFigure body;
    body.tokens = context.memory.tokens();
    body.routing = pair.here;
    body.beside = pair.there;
    body.name = names.here;
    body.besideName = names.there;
    double most = 0.0;
    for (const Routing* routing : {pair.here.get(), pair.there.get()}) {
        for (const float weight : routing->weights) {
            most = std::max(most, static_cast<double>(weight));  // NaN compares false
        }
    }
    const ColourRange& range = context.request.range;
    const bool fixed = range.kind == ColourRange::Kind::Fixed;
    body.bar = {makeScale(context.request.colourMap.value_or(ColourMap::WhiteBlue),
                          fixed ? std::pair(range.low, range.high) : std::pair(0.0, most)),
                "routing weight"};
    body.bar.scale.hasAbove = most > body.bar.scale.high;
    const RoutingAgreement random = agreementAtRandom(pair.here->experts, pair.here->topK);
    Figure figure =
        context.frame(fmt::format("chosen experts beside {}", names.there), agreement.tokens);
    figure.howToRead = fmt::format(
        "First choice agrees for {} of the tokens ({} at random), the chosen set for {} ({}), and "
        "of each token's {} choices {} on average ({}). Between the maps: a full mark = another "
        "first choice, a faint one = the same first choice but others after it, none = the same.",
        percent(agreement.firstChoice), percent(random.firstChoice), percent(agreement.sameSet),
        percent(random.sameSet), pair.here->topK, percent(agreement.overlap),
        percent(random.overlap));
    context.saySelection(figure, agreement.tokens, agreement.tokens, "routing");
    sayOther(context, figure);
    figure.body = std::move(body);
    return figure;
}

Figure buildRoutingAgreement(const BuildContext& context) {
    const BuildMemory& other = requireOther(context);
    const SessionNames names = namesOf(context);
    const std::vector<LayerId> there = other.layersOf("chosen_experts", context.request.branch);
    LineChartFigure body;
    body.positionTitle = "layer";
    body.lines = {"first choice", "overlap of chosen sets", "whole chosen set"};
    LineChartGroup group;
    group.title = "chosen experts";
    group.valueName = "share in agreement";
    LineChartPanel panel;
    panel.lines.resize(body.lines.size());
    std::uint64_t tokens = 0;
    std::string atRandom;
    for (const LayerId layer : context.require("ids").layers) {
        context.throwIfStopped();
        if (std::find(there.begin(), there.end(), layer) == there.end()) {
            continue;
        }
        const RoutingPair pair = routingsAt(context, layer);
        const RoutingAgreement agreement = agreementOf(*pair.here, *pair.there);
        const RoutingAgreement random = agreementAtRandom(pair.here->experts, pair.here->topK);
        tokens = agreement.tokens;
        body.positions.push_back(layer.value);
        panel.lines[0].push_back(agreement.firstChoice);
        panel.lines[1].push_back(agreement.overlap);
        panel.lines[2].push_back(agreement.sameSet);
        atRandom = fmt::format("at random {}, {} and {}", percent(random.firstChoice),
                               percent(random.overlap), percent(random.sameSet));
    }
    requireCommonLayers(body.positions, names);
    group.panels.push_back(std::move(panel));
    body.groups.push_back(std::move(group));
    Figure figure =
        context.frame(fmt::format("agreement of chosen experts with {}", names.there), tokens);
    figure.howToRead = fmt::format(
        "Per layer: share of tokens with the same first choice, mean share of a token's choices "
        "that both make, share of tokens with the same chosen set ({}).",
        atRandom);
    context.saySelection(figure, tokens, tokens, "routing");
    sayOther(context, figure);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
