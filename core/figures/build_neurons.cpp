// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/projection_parts.h"

#include <fmt/format.h>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostComponents = 3;

/// How many neurons each column has, in the order of the scores.
std::vector<std::size_t> countsOf(const BuildContext& context, std::size_t neurons) {
    std::vector<std::size_t> counts;
    std::size_t sum = 0;
    for (const double count : context.read("neurons", context.request.layer).toDoubles()) {
        counts.push_back(static_cast<std::size_t>(count));
        sum += counts.back();
    }
    if (sum != neurons) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("neuron_projection of layer {}: {} neurons are owned, {} have "
                                "scores; the session is damaged.",
                                context.request.layer->value, sum, neurons));
    }
    return counts;
}

ScatterPanel rolePanel(const BuildContext& context, const std::string& role,
                       const NdArray& explained, std::size_t dimensions) {
    const NdArray scores = context.read(role, context.request.layer);
    const Shape& shape = scores.shape();
    if (shape.size() != 2 || shape[1] < dimensions) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("neuron_projection/{} of layer {} is not a table of neurons and "
                                "components; the session is damaged.",
                                role, context.request.layer->value));
    }
    const auto neurons = static_cast<std::size_t>(shape[0]);
    const auto components = static_cast<std::size_t>(shape[1]);
    const std::size_t index = projectionRoleIndex(role);
    ScatterPanel panel;
    panel.title = role;
    panel.xTitle = componentTitle(explained, index, 0);
    panel.yTitle = componentTitle(explained, index, 1);
    panel.x.reserve(neurons);
    panel.y.reserve(neurons);
    const auto values = scores.values<float>();
    for (std::size_t i = 0; i < neurons; ++i) {
        panel.x.push_back(values[i * components]);
        panel.y.push_back(values[i * components + 1]);
        if (dimensions == kMostComponents) {
            panel.z.push_back(values[i * components + 2]);
        }
    }
    if (dimensions == kMostComponents) {
        panel.zTitle = componentTitle(explained, index, 2);
    }
    const std::vector<std::size_t> counts = countsOf(context, neurons);
    for (std::size_t group = 0; group < counts.size(); ++group) {
        for (std::size_t member = 0; member < counts[group]; ++member) {
            panel.group.push_back(static_cast<std::uint16_t>(group));
            panel.member.push_back(static_cast<std::uint32_t>(member));
        }
    }
    return panel;
}

}  // namespace

Figure buildNeuronProjection(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure neuron-projection needs a layer.");
    }
    if (context.request.dimensions != 2 && context.request.dimensions != 3) {
        throw Error(ErrorCode::Usage, fmt::format("A projection has 2 or 3 dimensions, not {}.",
                                                  context.request.dimensions));
    }
    const session::QuantityInfo& owners = context.require("neurons");
    const auto columns = static_cast<std::size_t>(owners.shape.empty() ? 0 : owners.shape[0]);
    const std::vector<std::string> labels =
        labelsOf(owners.axes.empty() ? session::Axis{} : owners.axes[0], columns);
    ScatterFigure body;
    body.groupCount = context.experts(*context.request.layer);
    body.memberName = "neuron";
    for (const std::string& label : labels) {
        body.groups.push_back(projectionGroup(label));
    }
    const NdArray explained = context.read("explained", context.request.layer);
    std::size_t neurons = 0;
    for (const std::string& role : projectionRoles(context)) {
        body.panels.push_back(rolePanel(context, role, explained,
                                        static_cast<std::size_t>(context.request.dimensions)));
        neurons = body.panels.back().size();
    }
    Figure figure = context.frame("neurons projected", 0);
    figure.caption += fmt::format(" {} neurons.", neurons) + baselinesOf(context.head(), labels);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
