// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/geometry.h"

#include "tests/support/catch.h"

#include <limits>

using namespace moescope::figures;

TEST_CASE("thinning: labels never touch and steps are powers of two", "[core][figures]") {
    CHECK(thinning(8, 20.0, 12.0) == 1);
    CHECK(thinning(64, 6.0, 12.0) == 2);
    CHECK(thinning(64, 5.0, 12.0) == 4);
    CHECK(thinning(256, 1.0, 12.0) == 16);
    CHECK(thinning(0, 5.0, 12.0) == 0);
    CHECK(thinning(4, 0.0, 12.0) == 0);
    for (std::size_t count = 1; count < 300; count += 7) {
        for (double step = 0.3; step < 30; step *= 1.7) {
            const std::size_t every = thinning(count, step, 12.0);
            CHECK((every & (every - 1)) == 0);
            CHECK((static_cast<double>(every) * step >= 12.0 || every >= count));
        }
    }
}

TEST_CASE("bestColumns: uses the space", "[core][figures]") {
    CHECK(bestColumns(3, 1200, 400, 1.0, 16, 20) == 3);
    CHECK(bestColumns(3, 300, 1200, 1.0, 16, 20) == 1);
    CHECK(bestColumns(1, 300, 1200, 1.0, 16, 20) == 1);
    CHECK(bestColumns(32, 1200, 800, 1.0, 16, 20) >= 6);
}

TEST_CASE("shortNumber: as many digits as the scale needs", "[core][figures]") {
    CHECK(shortNumber(0.0, 1.0) == "0.00");
    CHECK(shortNumber(0.3, 0.2) == "0.300");
    CHECK(shortNumber(0.8731, 1.0) == "0.87");
    CHECK(shortNumber(0.87312, 0.01) == "0.8731");
    CHECK(shortNumber(-0.25, 0.5) == "-0.250");
    CHECK(shortNumber(3812, 3812) == "3812");
    CHECK(shortNumber(-0.0001, 1.0) == "0.00");
    CHECK(shortNumber(0.0, 0.0) == "0.00000");
    CHECK(shortNumber(1.5e-5, 2e-5) == "1.50e-05");
}

TEST_CASE("roundTicks: round numbers within the limits", "[core][figures]") {
    const auto texts = [](double low, double high, std::size_t most, bool integral = false) {
        const Ticks ticks = roundTicks(low, high, most, integral);
        std::vector<std::string> out;
        for (const double value : ticks.values) {
            CHECK(value >= low - 1e-9);
            CHECK(value <= high + 1e-9);
            out.push_back(tickText(value, ticks.step));
        }
        return out;
    };
    using Texts = std::vector<std::string>;
    CHECK(texts(0.0134, 0.4372, 5) == Texts{"0.1", "0.2", "0.3", "0.4"});
    CHECK(texts(0.0, 1.0, 6) == Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
    CHECK(texts(-0.35, 0.35, 5) == Texts{"-0.2", "0.0", "0.2"});
    CHECK(texts(0.4968, 0.5031, 5) == Texts{"0.498", "0.500", "0.502"});
    CHECK(texts(0.0, 0.26, 6) == Texts{"0.00", "0.05", "0.10", "0.15", "0.20", "0.25"});
    CHECK(texts(0.0, 1.0, 5) == Texts{"0.00", "0.25", "0.50", "0.75", "1.00"});
    CHECK(texts(3.0, 41.0, 5, true) == Texts{"10", "20", "30", "40"});
    CHECK(texts(0.0, 2.0, 6, true) == Texts{"0", "1", "2"});
    CHECK(texts(0.0, 3e6, 4) == Texts{"0", "1e+06", "2e+06", "3e+06"});
    CHECK(texts(1.0, 1.0, 5).empty());
    CHECK(texts(0.0, std::numeric_limits<double>::infinity(), 5).empty());
    CHECK(texts(0.0, 1.0, 1).empty());
}
