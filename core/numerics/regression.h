// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

namespace moescope::numerics {

/// A straight line through points, y = slope x + intercept, as scipy.stats.linregress defines it.
struct Regression {
    double slope, intercept;
    double r;  ///< Pearson's
    double p;  ///< two-sided, of the null hypothesis that the slope is 0 (Student's t, n - 2)
    double standardError;  ///< standard error of the slope
    [[nodiscard]] double r2() const noexcept { return r * r; }
};

/// Least squares. All NaN with fewer than two points, when all x are equal, and when a value is NaN
/// or infinite. When all y are equal the slope is 0 and r and p are NaN. Two points: r is 1 or -1,
/// p and the standard error are 0, as SciPy has it.
[[nodiscard]] Regression linearRegression(std::span<const double> x, std::span<const double> y);

/// The regularised incomplete beta function I_x(a, b) for a, b > 0 and x in [0, 1], by its
/// continued fraction (NIST DLMF 8.17.22). Relative accuracy about 1e-12 for moderate a and b,
/// falling to 1e-9 where they are millions.
[[nodiscard]] double incompleteBeta(double a, double b, double x);

}  // namespace moescope::numerics
