// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/summary.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::numerics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double mean(std::span<const double> values) {
    if (values.empty()) {
        return kNaN;
    }
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double finiteMean(std::span<const double> values) {
    double sum = 0.0;
    double count = 0.0;
    for (const double value : values) {
        sum += std::isfinite(value) ? value : 0.0;
        count += std::isfinite(value) ? 1.0 : 0.0;
    }
    return count > 0.0 ? sum / count : kNaN;
}

double sampleVariance(std::span<const double> values) {
    if (values.size() < 2) {
        return kNaN;
    }
    const double centre = mean(values);
    double squares = 0.0;
    for (const double value : values) {
        squares += (value - centre) * (value - centre);
    }
    return squares / static_cast<double>(values.size() - 1);
}

double normalisedEntropy(std::span<const std::uint64_t> counts) {
    const double total = std::accumulate(
        counts.begin(), counts.end(), 0.0,
        [](double sum, std::uint64_t count) { return sum + static_cast<double>(count); });
    if (!(total > 0.0)) {
        return kNaN;
    }
    if (counts.size() < 2) {
        return 0.0;
    }
    double entropy = 0.0;
    for (const std::uint64_t count : counts) {
        if (count > 0) {
            const double share = static_cast<double>(count) / total;
            entropy -= share * std::log(share);
        }
    }
    return entropy / std::log(static_cast<double>(counts.size()));
}

}  // namespace moescope::numerics
