// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/projection_parts.h"
#include "core/jobs/parallel_for.h"

#include <fmt/format.h>

#include <numeric>

namespace moescope::figures {
namespace {

constexpr std::size_t kMostComponents = 3;

/// How many neurons each column has, in the order of the scores.
std::vector<std::size_t> countsOf(const BuildContext& context, const std::vector<NdArray>& scores) {
    std::vector<std::size_t> counts;
    std::size_t sum = 0;
    for (const double count : context.read("neurons", context.request.layer).toDoubles()) {
        counts.push_back(static_cast<std::size_t>(count));
        sum += counts.back();
    }
    for (const NdArray& role : scores) {
        const std::uint64_t neurons = role.shape().empty() ? 0 : role.shape()[0];
        if (sum != neurons) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("neuron_projection of layer {}: {} neurons are owned, {} have "
                                    "scores; the session is damaged.",
                                    context.request.layer->value, sum, neurons));
        }
    }
    return counts;
}

ScatterPanel rolePanel(const BuildContext& context, const std::string& role, const NdArray& scores,
                       const NdArray& explained, const std::vector<std::size_t>& counts) {
    const auto dimensions = static_cast<std::size_t>(context.request.dimensions);
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
    const auto values = scores.values<float>();
    const auto take = [&](std::size_t component, std::vector<float>& to) {
        to.resize(neurons);
        for (std::size_t i = 0; i < neurons; ++i) {
            to[i] = values[i * components + component];
        }
    };
    take(0, panel.x);
    take(1, panel.y);
    if (dimensions == kMostComponents) {
        take(2, panel.z);
        panel.zTitle = componentTitle(explained, index, 2);
    }
    panel.group.reserve(neurons);
    panel.member.resize(neurons);
    for (std::size_t group = 0; group < counts.size(); ++group) {
        const auto first = static_cast<std::ptrdiff_t>(panel.group.size());
        const auto members = static_cast<std::ptrdiff_t>(counts[group]);
        panel.group.insert(panel.group.end(), counts[group], static_cast<std::uint16_t>(group));
        std::iota(panel.member.begin() + first, panel.member.begin() + first + members, 0U);
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
    const std::vector<std::string> roles = projectionRoles(context);
    std::vector<NdArray> scores;
    scores.reserve(roles.size());
    for (const std::string& role : roles) {
        scores.push_back(context.read(role, context.request.layer));
    }
    const std::vector<std::size_t> counts = countsOf(context, scores);
    // Hundreds of thousands of points each.
    body.panels.resize(roles.size());
    jobs::parallelFor(roles.size(), jobs::availableThreads(), jobs::CancelToken(context.stop),
                      [&](std::size_t i) {
                          body.panels[i] =
                              rolePanel(context, roles[i], scores[i], explained, counts);
                      });
    const std::size_t neurons = body.panels.empty() ? 0 : body.panels.back().size();
    Figure figure = context.frame("neurons projected", 0);
    figure.caption += fmt::format(" {} neurons.", neurons) + baselinesOf(context.head(), labels);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
