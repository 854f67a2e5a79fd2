// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/router_regression.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {

double regressionStatistic(const session::QuantityInfo& info, const NdArray& values,
                           std::string_view role, std::string_view statistic) {
    if (values.shape().size() != 2 || info.axes.size() != 2) {
        throw Error(ErrorCode::BadSession,
                    "router_similarity/regression is not a table of roles and statistics; the "
                    "session is damaged.");
    }
    const auto place = [&](std::size_t axis, std::string_view name) {
        const auto& labels = info.axes[axis].labels;
        return static_cast<std::uint64_t>(std::find(labels.begin(), labels.end(), name) -
                                          labels.begin());
    };
    const std::uint64_t row = place(0, role);
    const std::uint64_t column = place(1, statistic);
    return row < values.shape()[0] && column < values.shape()[1]
               ? values.at(row * values.shape()[1] + column)
               : std::nan("");
}

bool isAgainstMeanNeurons(const session::QuantityInfo& regression) {
    return regression.longName.find("mean neuron") != std::string::npos;
}

}  // namespace moescope::figures
