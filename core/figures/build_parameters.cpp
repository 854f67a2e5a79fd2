// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/build_context.h"
#include "core/figures/whole_number.h"

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
        counts.push_back(array.type() == ElementType::U64 ? array.values<std::uint64_t>()[i]
                                                          : wholeNumberAt(array, i, "parameters"));
    }
    return counts;
}

// Values at the numbers of tokens that label their axis; nothing when the session lacks them.
void readCurve(const BuildContext& context, const std::string& quantity,
               std::vector<std::uint64_t>& tokens, std::vector<double>& values) {
    const session::QuantityInfo* info = context.find(quantity);
    if (info == nullptr) {
        return;
    }
    values = context.read(quantity, std::nullopt).toDoubles();
    for (const std::string& label :
         labelsOf(info->axes.empty() ? session::Axis{} : info->axes.front(), values.size())) {
        std::uint64_t count = 0;
        std::from_chars(label.data(), label.data() + label.size(), count);
        tokens.push_back(count);
    }
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
    readCurve(context, "touched_expert_bytes", body.batchTokens, body.touchedExpertBytes);
    readCurve(context, "operations_per_token", body.contextTokens, body.operationsPerToken);
    Figure figure = context.frame("parameters", 0);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
