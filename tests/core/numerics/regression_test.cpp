// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/regression.h"

#include "tests/core/numerics/statistics_cases.h"
#include "tests/support/catch.h"

#include <limits>
#include <stdexcept>

using namespace moescope;
using numerics::linearRegression;
using numerics::Regression;

namespace {

using Series = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool allNaN(const Regression& line) {
    return std::isnan(line.slope) && std::isnan(line.intercept) && std::isnan(line.r) &&
           std::isnan(line.p) && std::isnan(line.standardError);
}

}  // namespace

TEST_CASE("linearRegression: SciPy's linregress", "[core][numerics]") {
    for (const auto& pair : tests::statisticsCases("pairs")) {
        CAPTURE(pair.at("kind"), pair.at("n"));
        const auto [x, y] = tests::seriesOf(pair);
        const Regression line = linearRegression(x, y);
        const auto golden = [&](const char* name) { return pair.at(name).get<double>(); };
        CHECK(line.slope == Approx(golden("slope")).epsilon(1e-9).margin(1e-12));
        CHECK(line.intercept == Approx(golden("intercept")).epsilon(1e-9).margin(1e-12));
        CHECK(line.r == Approx(golden("pearson")).margin(1e-12));
        CHECK(line.r2() == Approx(golden("pearson") * golden("pearson")).margin(1e-12));
        // On a line almost exact, 1 - r^2 is what rounding left of it.
        const double digits = 1.0 - line.r2() < 1e-7 ? 1e-6 : 1e-8;
        CHECK(line.p == Approx(golden("p")).epsilon(digits).margin(1e-300));
        CHECK(line.standardError == Approx(golden("stderr")).epsilon(digits));
    }
}

TEST_CASE("incompleteBeta: SciPy's betainc", "[core][numerics]") {
    for (const auto& entry : tests::statisticsCases("beta")) {
        CAPTURE(entry.dump());
        const double found = numerics::incompleteBeta(entry.at("a"), entry.at("b"), entry.at("x"));
        CHECK(found == Approx(entry.at("value").get<double>()).epsilon(1e-9).margin(1e-300));
    }
    CHECK_THROWS_AS(numerics::incompleteBeta(0, 1, 0.5), std::invalid_argument);
    CHECK_THROWS_AS(numerics::incompleteBeta(1, 1, 1.5), std::invalid_argument);
}

TEST_CASE("linearRegression: degenerate points give NaN where nothing can be said",
          "[core][numerics]") {
    CHECK(allNaN(linearRegression({}, {})));
    CHECK(allNaN(linearRegression(Series{1}, Series{2})));
    CHECK(allNaN(linearRegression(Series{0.1, 0.1, 0.1}, Series{1, 2, 3})));
    CHECK(allNaN(linearRegression(Series{1, kNaN, 3}, Series{1, 2, 3})));
    CHECK(allNaN(linearRegression(Series{1, 2, 3}, Series{1, 2, kNaN})));
    CHECK_THROWS_AS(linearRegression(Series{1}, Series{}), std::invalid_argument);
    const Regression flat = linearRegression(Series{1, 2, 3}, Series{0.1, 0.1, 0.1});
    CHECK(flat.slope == 0.0);
    CHECK(flat.intercept == 0.1);
    CHECK(std::isnan(flat.r));
    CHECK(std::isnan(flat.p));
}

TEST_CASE("linearRegression: two points are on the line, as SciPy has it", "[core][numerics]") {
    const Regression line = linearRegression(Series{1, 3}, Series{5, 1});
    CHECK(line.slope == -2.0);
    CHECK(line.intercept == 7.0);
    CHECK(line.r == -1.0);
    CHECK(line.p == 0.0);
    CHECK(line.standardError == 0.0);
}

TEST_CASE("linearRegression: points on a line give it back with p near 0", "[core][numerics]") {
    const Series x = tests::uniformDoubles(4, 40);
    Series y(x);
    for (double& value : y) {
        value = 0.5 * value - 2.0;
    }
    const Regression line = linearRegression(x, y);
    CHECK(line.slope == Approx(0.5));
    CHECK(line.intercept == Approx(-2.0));
    CHECK(line.r == Approx(1.0));
    CHECK(line.p < 1e-100);
}
