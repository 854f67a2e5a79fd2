// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Checkpoints of one model on one text: how much of the choice is settled (D1).
#include "core/base/error.h"
#include "core/figures/routed_text.h"
#include "core/figures/routing_agreement.h"
#include "core/figures/two_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace moescope::figures {
namespace {

std::string choicesText(int k) {
    return k == 1 ? "first choice" : fmt::format("first {}", k);
}

/// Those that all sessions have.
std::vector<LayerId> commonLayers(const BuildContext& context,
                                  const std::vector<const BuildMemory*>& series) {
    std::vector<LayerId> layers = context.require("ids").layers;
    for (const BuildMemory* each : series) {
        const auto there = each->layersOf("chosen_experts", context.request.branch);
        std::erase_if(layers, [&](LayerId layer) {
            return std::find(there.begin(), there.end(), layer) == there.end();
        });
    }
    return layers;
}

/// What the layers have in common, or nothing.
template <typename Of>
std::optional<int> sameOfAll(const std::vector<LayerId>& layers, Of of) {
    const bool isSame = std::all_of(layers.begin(), layers.end(),
                                    [&](LayerId layer) { return of(layer) == of(layers.front()); });
    return isSame && !layers.empty() ? std::optional<int>(of(layers.front())) : std::nullopt;
}

/// All choices of a token together, and the first alone.
LineChartGroup groupOf(const std::string& title, std::optional<int> choices,
                       std::optional<int> experts) {
    LineChartGroup group;
    group.title = title;
    group.valueName = "share that the last makes too";
    if (choices && experts && *experts > 0) {
        group.reference = static_cast<double>(*choices) / *experts;
    }
    group.panels.resize(1);
    return group;
}

/// Lines are layers, positions the checkpoints before the last, with which each is compared.
Figure buildSeries(const BuildContext& context) {
    const std::vector<const BuildMemory*> series = requireSeries(context);
    const std::vector<std::string> names = namesOf(series);
    const std::vector<LayerId> layers = commonLayers(context, series);
    if (layers.empty()) {
        throw Error(ErrorCode::Usage,
                    "The sessions have no layer with chosen experts in common yet.");
    }
    const auto& all = context.head().model.layers;
    const auto summary = [&](LayerId layer) { return all[static_cast<std::size_t>(layer.value)]; };
    const auto topK = sameOfAll(layers, [&](LayerId layer) { return summary(layer).topK; });
    const auto experts = sameOfAll(layers, [&](LayerId layer) { return summary(layer).experts; });
    LineChartFigure body;
    body.positionTitle = "checkpoint";
    body.positionsAreLayers = false;
    body.linesAreOrdered = true;
    const bool hasSeveral = topK != 1;
    if (hasSeveral) {
        body.groups.push_back(
            groupOf(topK ? fmt::format("all {} choices", *topK) : "all choices", topK, experts));
    }
    body.groups.push_back(groupOf("first choice", 1, experts));
    const TokenSelection tokens = context.tokens();
    for (const LayerId layer : layers) {
        body.lines.push_back(fmt::format("layer {}", layer.value));
        const auto last =
            rowsOf(series.back()->routing(layer, context.request.branch, context.stop), tokens);
        std::vector<double> whole;
        std::vector<double> first;
        for (std::size_t i = 0; i + 1 < series.size(); ++i) {
            context.throwIfStopped();
            const std::vector<double> shares = saturationOf(
                *rowsOf(series[i]->routing(layer, context.request.branch, context.stop), tokens),
                *last);
            whole.push_back(shares.empty() ? missingValue() : shares.back());
            first.push_back(shares.empty() ? missingValue() : shares.front());
        }
        if (hasSeveral) {
            body.groups.front().panels.front().lines.push_back(std::move(whole));
        }
        body.groups.back().panels.front().lines.push_back(std::move(first));
    }
    std::string list;
    for (std::size_t i = 0; i + 1 < series.size(); ++i) {
        body.positions.push_back(static_cast<double>(i + 1));
        body.positionNames.push_back(names[i]);
        list += fmt::format("{}{} = {}", i == 0 ? "" : ", ", i + 1, names[i]);
    }
    Figure figure = derivedFrame(context, "router_saturation",
                                 fmt::format("router saturation on the way to {}", names.back()),
                                 tokens.count());
    figure.howToRead = fmt::format(
        "Share of a token's choices that a checkpoint has in common with the last one, {}: 1 = the "
        "choice is settled. Checkpoints: {}.{}",
        names.back(), list,
        topK && experts ? fmt::format(" Unrelated routers share {:.2g} (dashed, where in view).",
                                      static_cast<double>(*topK) / *experts)
                        : std::string());
    saySeries(series, figure);
    figure.body = std::move(body);
    return figure;
}

}  // namespace

Figure buildRouterSaturation(const BuildContext& context) {
    if (!context.further.empty()) {
        return buildSeries(context);
    }
    const BuildMemory& other = requireOther(context);
    const SessionNames names = namesOf(context);
    const std::vector<LayerId> there = other.layersOf("chosen_experts", context.request.branch);
    LineChartFigure body;
    body.positionTitle = "layer";
    LineChartGroup group;
    group.title = "chosen by both";
    group.valueName = "share of the choices";
    LineChartPanel panel;
    std::uint64_t tokens = 0;
    std::string random;
    for (const LayerId layer : context.require("ids").layers) {
        context.throwIfStopped();
        if (std::find(there.begin(), there.end(), layer) == there.end()) {
            continue;
        }
        const RoutingPair pair = routingsAt(context, layer);
        const std::vector<double> shares = saturationOf(*pair.here, *pair.there);
        tokens = pair.here->tokenCount();
        // Layers that choose fewer experts leave their lines empty there.
        for (std::size_t k = panel.lines.size(); k < shares.size(); ++k) {
            panel.lines.emplace_back(body.positions.size(), missingValue());
            body.lines.push_back(choicesText(static_cast<int>(k) + 1));
            random += fmt::format("{}{:.1f} %", random.empty() ? "" : ", ",
                                  100.0 * static_cast<double>(k + 1) / pair.here->experts);
        }
        body.positions.push_back(layer.value);
        for (std::size_t k = 0; k < panel.lines.size(); ++k) {
            panel.lines[k].push_back(k < shares.size() ? shares[k] : missingValue());
        }
    }
    requireCommonLayers(body.positions, names);
    group.panels.push_back(std::move(panel));
    body.groups.push_back(std::move(group));
    Figure figure = derivedFrame(context, "router_saturation",
                                 fmt::format("router saturation, beside {}", names.there), tokens);
    figure.howToRead += fmt::format(" Unrelated routers: {}.", random);
    sayOther(context, figure);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
