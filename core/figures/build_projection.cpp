// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/projection_parts.h"

#include <fmt/format.h>

#include <cmath>

namespace moescope::figures {
namespace {

constexpr int kOutlier = -1;

const session::Axis& pointAxis(const session::QuantityInfo& info) {
    if (info.axes.size() != 2 || info.shape.size() != 2 || info.shape[1] < 2) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{}/{} is not a table of points and components; the session is "
                                "damaged.",
                                info.id.experiment, info.id.quantity));
    }
    return info.axes[0];
}

void append(std::string& list, const std::string& label) {
    list += (list.empty() ? "" : ", ") + label;
}

/// "gate: 3, 7; up: 3"
void listRole(std::string& list, const std::string& role, const std::string& labels) {
    if (!labels.empty()) {
        list += fmt::format("{}{}: {}", list.empty() ? "" : "; ", role, labels);
    }
}

/// The points of a role, and the labels of those that are none or lie apart.
struct RolePoints {
    ScatterPanel panel;
    std::string outliers, missing;
};

RolePoints pointsOf(const BuildContext& context, const std::string& role,
                    const std::vector<std::string>& labels,
                    const std::optional<NdArray>& clusters) {
    const std::size_t first = projectionRoleIndex(role) * labels.size();
    const NdArray scores = context.read(role, context.request.layer);
    const auto components = static_cast<std::size_t>(scores.shape().at(1));
    RolePoints points;
    for (std::size_t i = 0; i < labels.size() && i * components + 1 < scores.size(); ++i) {
        const auto x = static_cast<float>(scores.at(i * components));
        const auto y = static_cast<float>(scores.at(i * components + 1));
        if (!std::isfinite(x) || !std::isfinite(y)) {
            append(points.missing, labels[i]);  // in no cluster either
            continue;
        }
        const bool isOutlier = clusters && first + i < clusters->size() &&
                               static_cast<int>(clusters->at(first + i)) == kOutlier;
        if (isOutlier) {
            append(points.outliers, labels[i]);
        }
        if (isOutlier && context.request.withoutOutliers) {
            continue;
        }
        points.panel.x.push_back(x);
        points.panel.y.push_back(y);
        points.panel.group.push_back(static_cast<std::uint16_t>(i));
        points.panel.labels.push_back(labels[i]);
    }
    return points;
}

}  // namespace

Figure buildExpertProjection(const BuildContext& context) {
    if (!context.request.layer) {
        throw Error(ErrorCode::Usage, "The figure expert-projection needs a layer.");
    }
    const session::QuantityInfo& first = context.require("gate");
    const auto points = static_cast<std::size_t>(first.shape.empty() ? 0 : first.shape[0]);
    const std::vector<std::string> labels = labelsOf(pointAxis(first), points);
    const NdArray explained = context.read("explained", context.request.layer);
    ScatterFigure body;
    body.groupCount = context.experts(*context.request.layer);
    for (const std::string& label : labels) {
        body.groups.push_back(projectionGroup(label));
    }
    std::optional<NdArray> clusters;
    if (context.find("cluster") != nullptr) {
        clusters = context.read("cluster", context.request.layer);
    }
    std::string outliers;
    std::string missing;
    for (const std::string& role : projectionRoles(context)) {
        const std::size_t index = projectionRoleIndex(role);
        RolePoints of = pointsOf(context, role, labels, clusters);
        of.panel.title = role;
        of.panel.xTitle = componentTitle(explained, index, 0);
        of.panel.yTitle = componentTitle(explained, index, 1);
        listRole(outliers, role, of.outliers);
        listRole(missing, role, of.missing);
        body.panels.push_back(std::move(of.panel));
    }
    Figure figure = context.frame("experts projected", 0);
    figure.caption += baselinesOf(context.head(), labels);
    if (!outliers.empty()) {
        figure.caption +=
            fmt::format(" Outliers by DBSCAN{} \xE2\x80\x93 {}.",
                        context.request.withoutOutliers ? ", left out" : "", outliers);
    }
    if (!missing.empty()) {
        figure.caption += fmt::format(
            " Not available, since there are weights that are no numbers \xE2\x80\x93 {}.",
            missing);
    }
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
