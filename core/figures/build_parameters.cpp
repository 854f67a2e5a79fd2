// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/build_context.h"

#include <algorithm>
#include <charconv>

namespace moescope::figures {
namespace {

std::string forPeople(std::string component) {
    std::replace(component.begin(), component.end(), '_', ' ');
    return component;
}

std::vector<std::uint64_t> toCounts(const NdArray& array) {
    std::vector<std::uint64_t> counts;
    for (std::uint64_t i = 0; i < array.size(); ++i) {
        counts.push_back(array.type() == ElementType::U64
                             ? array.values<std::uint64_t>()[i]
                             : static_cast<std::uint64_t>(array.at(i)));
    }
    return counts;
}

}  // namespace

Figure buildParameters(const BuildContext& context) {
    const session::QuantityInfo& info = context.require("total");
    ParametersFigure body;
    body.total = toCounts(context.read("total", std::nullopt));
    body.active = toCounts(context.read("active", std::nullopt));
    for (const std::string& label :
         labelsOf(info.axes.empty() ? session::Axis{} : info.axes.front(), body.total.size())) {
        body.components.push_back(forPeople(label));
    }
    body.active.resize(body.total.size());
    if (const session::QuantityInfo* bytes = context.find("touched_expert_bytes")) {
        body.touchedExpertBytes = context.read("touched_expert_bytes", std::nullopt).toDoubles();
        const auto labels = labelsOf(bytes->axes.empty() ? session::Axis{} : bytes->axes.front(),
                                     body.touchedExpertBytes.size());
        for (const std::string& label : labels) {
            std::uint64_t batch = 0;
            std::from_chars(label.data(), label.data() + label.size(), batch);
            body.batchTokens.push_back(batch);
        }
    }
    Figure figure = context.frame("parameters", 0);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
