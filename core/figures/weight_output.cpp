// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/weight_output.h"

#include "core/numerics/correlation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {

WeightOutputRelation relate(const Matrix& weights, const Matrix& outputs, std::size_t experts) {
    WeightOutputRelation relation;
    const std::size_t n = std::min({experts, weights.rows, weights.columns, outputs.rows,
                                    outputs.columns, std::size_t{65536}});
    for (std::size_t i = 1; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const float x = weights.at(i, j);
            const float y = outputs.at(i, j);
            if (std::isfinite(x) && std::isfinite(y)) {
                relation.weights.push_back(x);
                relation.outputs.push_back(y);
                relation.experts.emplace_back(static_cast<std::uint16_t>(i),
                                              static_cast<std::uint16_t>(j));
            }
        }
    }
    const std::vector<double> x(relation.weights.begin(), relation.weights.end());
    const std::vector<double> y(relation.outputs.begin(), relation.outputs.end());
    relation.pearson = numerics::pearson(x, y);
    relation.spearman = numerics::spearman(x, y);
    return relation;
}

std::string correlationText(double value) {
    const std::string digits = fmt::format("{:.2f}", std::abs(value));
    return value < 0.0 && digits != "0.00" ? "\u2212" + digits : digits;
}

}  // namespace moescope::figures
