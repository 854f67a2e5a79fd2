// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/figures/build_context.h"
#include "core/figures/projection_parts.h"

#include <fmt/format.h>

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
    for (const std::string& role : projectionRoles(context)) {
        const std::size_t index = projectionRoleIndex(role);
        const NdArray scores = context.read(role, context.request.layer);
        const auto components = static_cast<std::size_t>(scores.shape().at(1));
        ScatterPanel panel;
        panel.title = role;
        panel.xTitle = componentTitle(explained, index, 0);
        panel.yTitle = componentTitle(explained, index, 1);
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
