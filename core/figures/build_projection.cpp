// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr std::array<const char*, 3> kRoles{"gate", "up", "down"};
constexpr int kOutlier = -1;

std::vector<std::string> rolesOf(const BuildContext& context) {
    for (const std::string& role : context.request.roles) {
        if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
            throw Error(ErrorCode::Usage,
                        fmt::format("The figure {} has no role \"{}\"; it has gate, up and down.",
                                    context.info.name, role));
        }
    }
    return context.request.roles.empty() ? std::vector<std::string>(kRoles.begin(), kRoles.end())
                                         : context.request.roles;
}

std::size_t roleIndex(const std::string& role) {
    return static_cast<std::size_t>(std::find(kRoles.begin(), kRoles.end(), role) - kRoles.begin());
}

/// "PC 1 (34.2 %)".
std::string axisTitle(const NdArray& explained, std::size_t role, std::size_t component) {
    const std::uint64_t components = explained.shape().empty() ? 0 : explained.shape().back();
    const std::uint64_t at = role * components + component;
    const std::string name = fmt::format("PC {}", component + 1);
    return component >= components || at >= explained.size() || !std::isfinite(explained.at(at))
               ? name
               : fmt::format("{} ({:.1f} %)", name, explained.at(at) * 100.0);
}

/// Group of each point by its label: the expert's, or the baseline's.
ScatterGroup groupOf(const std::string& label) {
    ScatterGroup group;
    group.name = label;
    const bool isNumber = !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
        return c >= '0' && c <= '9';
    });
    if (isNumber) {
        group.index = std::stoi(label);
    } else {
        group.kind =
            label.front() == 'S' ? ScatterGroup::Kind::Shared : ScatterGroup::Kind::Baseline;
    }
    return group;
}

const session::Axis& pointAxis(const session::QuantityInfo& info) {
    if (info.axes.size() != 2 || info.shape.size() != 2 || info.shape[1] < 2) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} is not a table of points and components; the session is "
                                "damaged.",
                                info.id.experiment, info.id.quantity));
    }
    return info.axes[0];
}

}  // namespace

Figure buildExpertProjection(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure expert-projection needs a layer.");
    }
    const session::QuantityInfo& first = context.require(kRoles.front());
    const auto points = static_cast<std::size_t>(first.shape.empty() ? 0 : first.shape[0]);
    const std::vector<std::string> labels = labelsOf(pointAxis(first), points);
    const NdArray explained = context.read("explained", context.request.layer);
    ScatterFigure body;
    body.groupCount = context.experts(*context.request.layer);
    for (const std::string& label : labels) {
        body.groups.push_back(groupOf(label));
    }
    std::optional<NdArray> clusters;
    if (context.find("cluster") != nullptr) {
        clusters = context.read("cluster", context.request.layer);
    }
    std::string outliers;
    for (const std::string& role : rolesOf(context)) {
        const std::size_t index = roleIndex(role);
        const NdArray scores = context.read(role, context.request.layer);
        const auto components = static_cast<std::size_t>(scores.shape().at(1));
        ScatterPanel panel;
        panel.title = role;
        panel.xTitle = axisTitle(explained, index, 0);
        panel.yTitle = axisTitle(explained, index, 1);
        std::string out;
        for (std::size_t i = 0; i < points && i * components + 1 < scores.size(); ++i) {
            const bool isOutlier = clusters && index * points + i < clusters->size() &&
                                   static_cast<int>(clusters->at(index * points + i)) == kOutlier;
            if (isOutlier) {
                out += (out.empty() ? "" : ", ") + labels[i];
            }
            if (isOutlier && context.request.withoutOutliers) {
                continue;
            }
            panel.x.push_back(static_cast<float>(scores.at(i * components)));
            panel.y.push_back(static_cast<float>(scores.at(i * components + 1)));
            panel.group.push_back(static_cast<std::uint16_t>(i));
            panel.labels.push_back(labels[i]);
        }
        outliers +=
            out.empty() ? "" : fmt::format("{}{}: {}", outliers.empty() ? "" : "; ", role, out);
        body.panels.push_back(std::move(panel));
    }
    Figure figure = context.frame("experts projected", 0);
    figure.caption += baselinesOf(context.head(), labels);
    if (!outliers.empty()) {
        figure.caption +=
            fmt::format(" Outliers by DBSCAN{} \xE2\x80\x93 {}.",
                        context.request.withoutOutliers ? ", left out" : "", outliers);
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
