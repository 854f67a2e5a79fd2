// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file_system.h"
#include "tests/support/paths.h"
#include "tests/support/splitmix.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace moescope::tests {

/// Golden values of tests/reference/make_statistics.py.
inline nlohmann::json statisticsCases(const std::string& name) {
    const auto path = referenceDir() / "numerics/statistics.json";
    return nlohmann::json::parse(readTextFile(path)).at(name);
}

inline std::vector<double> uniformDoubles(std::uint64_t seed, std::size_t n) {
    const std::vector<float> values = splitmixUniform(seed, n);
    return {values.begin(), values.end()};
}

struct PairOfSeries {
    std::vector<double> x, y;
};

/// points() of the script.
inline PairOfSeries seriesOf(const nlohmann::json& pair) {
    const std::string kind = pair.at("kind");
    const std::uint64_t seed = pair.at("seed");
    const std::size_t n = pair.at("n");
    const std::vector<double> u = uniformDoubles(seed, n);
    const std::vector<double> v = uniformDoubles(seed + 1, n);
    PairOfSeries series{u, v};
    for (std::size_t i = 0; i < n; ++i) {
        double& x = series.x[i];
        double& y = series.y[i];
        if (kind == "related") {
            y = u[i] + v[i] * 0.5;
        } else if (kind == "ties") {
            x = std::floor(u[i] * 4);
            y = std::floor((u[i] + v[i]) * 3);
        } else if (kind == "x_ties") {
            x = std::floor(u[i] * 5);
            y = u[i] + v[i];
        } else if (kind == "falling") {
            y = v[i] * 0.03125 - u[i] * 4;
        } else if (kind == "shifted") {
            x = u[i] * 0.0009765625 + 1024;
            y = v[i] * 0.0009765625 + u[i] * 0.0009765625 - 2048;
        }
    }
    return series;
}

}  // namespace moescope::tests
