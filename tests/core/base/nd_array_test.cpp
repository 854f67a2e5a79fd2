// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/nd_array.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

#include <array>
#include <limits>

using namespace moescope;

TEST_CASE("NdArray: keeps values, shape and type", "[core][base]") {
    const std::array<float, 6> values{0, 1, 2, 3, 4, 5};
    const auto array = NdArray::from<float>({2, 3}, values);
    CHECK(array.size() == 6);
    CHECK(array.at(4) == 4.0);
    CHECK(array.values<float>()[5] == 5.0F);
    CHECK_THROWS_AS(array.values<double>(), Error);
    CHECK_THROWS_AS(array.at(6), Error);
    CHECK_THROWS_AS(NdArray::from<float>({7}, values), Error);
}

TEST_CASE("NdArray: refuses dimensions that overflow", "[core][base]") {
    const std::uint64_t big = std::numeric_limits<std::uint64_t>::max() / 2;
    CHECK_THROWS_AS(elementCount({big, 3}), Error);
    CHECK(elementCount({big, 0}) == 0);
    CHECK(elementCount({}) == 1);
}
