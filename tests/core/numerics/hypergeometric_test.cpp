// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/hypergeometric.h"

#include "tests/support/catch.h"

#include <bit>
#include <cstdint>
#include <vector>

using moescope::numerics::chanceOfAtLeast;
using moescope::numerics::Draw;

TEST_CASE("chanceOfAtLeast: SciPy's hypergeom.sf(found - 1, total, marked, drawn)",
          "[core][numerics]") {
    struct Case {
        std::uint64_t found;
        Draw draw;
        double expected;
    };
    const std::vector<Case> cases{{3, {20, 7, 5}, 0.20678534571723425},
                                  {1, {20, 7, 5}, 0.9169891640866873},
                                  {5, {20, 7, 5}, 0.0013544891640866873},
                                  {0, {20, 7, 5}, 1.0},
                                  {30, {4000, 1000, 60}, 2.2991116152325324e-05},
                                  {11, {4000, 1000, 60}, 0.9157301763453487},
                                  {60, {4000, 1000, 60}, 1.928050093705493e-37},
                                  {700, {100000, 2000, 30000}, 6.537613494738982e-07},
                                  {40, {100000, 2000, 1000}, 3.9171439512397974e-05},
                                  {2, {10, 10, 2}, 1.0},
                                  {9, {12, 8, 10}, 0.0},
                                  {19, {1000000, 31250, 20}, 4.873008810612458e-28}};
    for (const auto& [found, draw, expected] : cases) {
        CAPTURE(found, draw.total, draw.marked, draw.drawn);
        CHECK(chanceOfAtLeast(found, draw) == Approx(expected).epsilon(1e-8).margin(1e-300));
    }
}

TEST_CASE("chanceOfAtLeast: all draws counted", "[core][numerics]") {
    constexpr unsigned kThings = 10;
    for (unsigned marked = 0; marked <= kThings; ++marked) {
        for (unsigned drawn = 0; drawn <= kThings; ++drawn) {
            for (unsigned found = 0; found <= kThings; ++found) {
                int draws = 0;
                int hits = 0;
                for (unsigned draw = 0; draw < 1U << kThings; ++draw) {
                    if (static_cast<unsigned>(std::popcount(draw)) == drawn) {
                        ++draws;
                        const unsigned both = draw & ((1U << marked) - 1U);
                        hits += static_cast<unsigned>(std::popcount(both)) >= found ? 1 : 0;
                    }
                }
                CHECK(chanceOfAtLeast(found, {kThings, marked, drawn}) ==
                      Approx(static_cast<double>(hits) / draws).margin(1e-12));
            }
        }
    }
}
