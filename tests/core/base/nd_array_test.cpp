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

TEST_CASE("NdArray: any element type as doubles, the same elements under another shape",
          "[core][base]") {
    const auto requireDoubles = []<typename T>(std::array<T, 2> values) {
        const auto array = NdArray::from<T>({2}, values);
        const std::vector<double> doubles = array.toDoubles();
        CHECK(doubles ==
              std::vector<double>{static_cast<double>(values[0]), static_cast<double>(values[1])});
        CHECK(doubles[1] == array.at(1));
    };
    requireDoubles(std::array<float, 2>{0.5F, -3.25F});
    requireDoubles(std::array<double, 2>{0.1, 1e300});
    requireDoubles(std::array<std::uint8_t, 2>{0, 255});
    requireDoubles(std::array<std::uint16_t, 2>{1, 65535});
    requireDoubles(std::array<std::uint32_t, 2>{1, 4294967295U});
    requireDoubles(std::array<std::uint64_t, 2>{1, std::uint64_t{1} << 52U});
    requireDoubles(std::array<std::int32_t, 2>{-7, 7});
    requireDoubles(std::array<std::int64_t, 2>{-(std::int64_t{1} << 52U), 7});

    const std::array<float, 6> values{0, 1, 2, 3, 4, 5};
    NdArray array = NdArray::from<float>({2, 3}, values);
    CHECK(array.reshaped({3, 2}).shape() == Shape{3, 2});
    CHECK(array.shape() == Shape{2, 3});
    CHECK_THROWS_AS(array.reshaped({5}), Error);
    const std::byte* before = array.bytes().data();
    const NdArray moved = std::move(array).reshaped({6});
    CHECK(moved.shape() == Shape{6});
    CHECK(moved.bytes().data() == before);
}
