// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Two checkpoints of one model on one text: how much of the choice is settled (D1).
#include "core/base/error.h"
#include "core/figures/routed_text.h"
#include "core/figures/routing_agreement.h"
#include "core/figures/two_sessions.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::figures {
namespace {

std::string choicesText(int k) {
    return k == 1 ? "first choice" : fmt::format("first {}", k);
}

}  // namespace

Figure buildRouterSaturation(const BuildContext& context) {
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
