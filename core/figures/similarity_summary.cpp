// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/similarity_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figures {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Mean, least and largest of the finite values seen.
struct Running {
    double sum = 0.0, low = kNaN, high = kNaN;
    std::size_t count = 0;

    void add(double value) {
        if (std::isfinite(value)) {
            sum += value;
            low = count == 0 ? value : std::min(low, value);
            high = count == 0 ? value : std::max(high, value);
            ++count;
        }
    }
    [[nodiscard]] double mean() const {
        return count > 0 ? sum / static_cast<double>(count) : kNaN;
    }
};

}  // namespace

SimilaritySummary summarise(const Matrix& map, std::size_t experts) {
    const std::size_t n = std::min({experts, map.rows, map.columns});
    Running pairs;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            if (i != j) {
                pairs.add(static_cast<double>(map.at(i, j)));
            }
        }
    }
    SimilaritySummary summary{pairs.mean(), pairs.low, pairs.high, {}};
    for (std::size_t other = n; other < map.columns; ++other) {
        Running with;
        for (std::size_t i = 0; i < n; ++i) {
            with.add(static_cast<double>(map.at(i, other)));
        }
        summary.withOthers.push_back(with.mean());
    }
    return summary;
}

}  // namespace moescope::figures
