// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/closest_name.h"

#include "tests/support/catch.h"

#include <array>

using moescope::closestName;
using moescope::didYouMean;

TEST_CASE("closestName: what a mistyped name most likely means", "[core][base]") {
    constexpr std::array<std::string_view, 5> kNames{"rank-counts", "importance", "paths",
                                                     "importance-map", "E1"};
    const auto closest = [&](std::string_view name) {
        return closestName(name, kNames).value_or("none");
    };
    CHECK(closest("rank-coutns") == "rank-counts");  // neighbours swapped: one mistake
    CHECK(closest("Rank_Counts") == "rank-counts");
    CHECK(closest("importnce") == "importance");
    CHECK(closest("importance-mpa") == "importance-map");
    CHECK(closest("path") == "paths");
    CHECK(closest("E2") == "E1");
    CHECK(closest("perplexity") == "none");
    CHECK(closest("x") == "none");
    CHECK(closest("") == "none");
    CHECK(closest(std::string(1000, 'p')) == "none");
    CHECK(didYouMean("pahts", kNames) == " Did you mean \"paths\"?");
    CHECK(didYouMean("perplexity", kNames).empty());
}
