// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/regression.h"

#include "core/numerics/require.h"
#include "core/numerics/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::numerics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// log |Gamma(x)|; std::lgamma writes to a global variable.
double logGamma(double x) {
#if defined(__GLIBC__)
    int sign = 0;
    return ::lgamma_r(x, &sign);
#else
    return std::lgamma(x);
#endif
}

double notZero(double value) {
    constexpr double kTiny = 1e-300;
    return std::abs(value) < kTiny ? kTiny : value;
}

/// DLMF 8.17.22 by the modified Lentz algorithm; converges quickly for x < (a + 1) / (a + b + 2).
double betaFraction(double a, double b, double x) {
    constexpr int kMostTerms = 100000;
    double c = 1.0;
    double d = 1.0 / notZero(1.0 - (a + b) * x / (a + 1.0));
    double result = d;
    for (int m = 1; m < kMostTerms; ++m) {
        const double two = 2.0 * m;
        const double even = m * (b - m) * x / ((a + two - 1.0) * (a + two));
        d = 1.0 / notZero(1.0 + even * d);
        c = notZero(1.0 + even / c);
        result *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + two) * (a + two + 1.0));
        d = 1.0 / notZero(1.0 + odd * d);
        c = notZero(1.0 + odd / c);
        const double factor = d * c;
        result *= factor;
        if (std::abs(factor - 1.0) < std::numeric_limits<double>::epsilon()) {
            break;
        }
    }
    return result;
}

/// Sums of squares around the means.
struct Spread {
    double meanX, meanY, xx, xy, yy;
};

Spread spreadOf(std::span<const double> x, std::span<const double> y) {
    Spread spread{mean(x), mean(y), 0.0, 0.0, 0.0};
    for (std::size_t i = 0; i < x.size(); ++i) {
        spread.xx += (x[i] - spread.meanX) * (x[i] - spread.meanX);
        spread.xy += (x[i] - spread.meanX) * (y[i] - spread.meanY);
        spread.yy += (y[i] - spread.meanY) * (y[i] - spread.meanY);
    }
    return spread;
}

bool isConstant(std::span<const double> values) {
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// P(|t| > as far out) for Student's t with that many degrees of freedom, t = r sqrt(df / (1 -
/// r^2)), so that df / (df + t^2) is 1 - r^2. SciPy keeps that above zero in this way.
double pOfR(double r, double degrees) {
    constexpr double kTiny = 1e-20;
    const double rest = (1.0 - r + kTiny) * (1.0 + r + kTiny);
    return incompleteBeta(degrees / 2.0, 0.5, rest / (rest + r * r));
}

}  // namespace

double incompleteBeta(double a, double b, double x) {
    require(a > 0.0 && b > 0.0 && !(x < 0.0) && !(x > 1.0), "incompleteBeta: out of range");
    if (std::isnan(x) || x == 0.0 || x == 1.0) {
        return x;
    }
    if (x > (a + 1.0) / (a + b + 2.0)) {
        return 1.0 - incompleteBeta(b, a, 1.0 - x);
    }
    const double front = a * std::log(x) + b * std::log1p(-x) + logGamma(a + b) - logGamma(a) -
                         logGamma(b) - std::log(a);
    return std::exp(front) * betaFraction(a, b, x);
}

Regression linearRegression(std::span<const double> x, std::span<const double> y) {
    require(x.size() == y.size(), "linearRegression: sizes differ");
    Regression none{kNaN, kNaN, kNaN, kNaN, kNaN};
    if (x.size() < 2 || isConstant(x)) {
        return none;
    }
    const Spread spread = spreadOf(x, y);
    if (!std::isfinite(spread.xx) || !std::isfinite(spread.yy) || spread.xx == 0.0) {
        return none;
    }
    Regression line = none;
    if (isConstant(y)) {
        line.slope = 0.0;
        line.intercept = y.front();
        line.standardError = x.size() == 2 ? 0.0 : kNaN;
        line.p = x.size() == 2 ? 1.0 : kNaN;
        return line;
    }
    line.slope = spread.xy / spread.xx;
    line.intercept = spread.meanY - line.slope * spread.meanX;
    line.r = std::clamp(spread.xy / std::sqrt(spread.xx * spread.yy), -1.0, 1.0);
    if (x.size() == 2) {
        line.p = 0.0;
        line.standardError = 0.0;
        return line;
    }
    const double degrees = static_cast<double>(x.size()) - 2.0;
    line.p = pOfR(line.r, degrees);
    line.standardError = std::sqrt((1.0 - line.r * line.r) * spread.yy / spread.xx / degrees);
    return line;
}

}  // namespace moescope::numerics
