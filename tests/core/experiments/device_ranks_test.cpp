// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/device_ranks.h"

#include "core/numerics/ranks.h"
#include "tests/core/engine/test_devices.h"
#include "tests/support/catch.h"
#include "tests/support/torch.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

using namespace moescope;

namespace {

/// Numbers with equals among them, and what is none.
at::Tensor awkward(std::int64_t rows, std::int64_t experts) {
    at::Tensor values = at::randint(0, 2 * experts, {rows, experts}, at::kFloat).div_(7.0);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (rows > 6 && experts > 3) {
        values[1][2] = std::nan("");
        values[2].fill_(std::nan(""));
        values[3][0] = -kInfinity;
        values[3][3] = std::nan("");
        values[4][1] = kInfinity;
        values[4][2] = std::numeric_limits<float>::max();
        values[5].fill_(0.25);
    }
    return values;
}

std::vector<std::uint64_t> countsOf(const at::Tensor& scores, const at::Tensor& norms) {
    const auto experts = static_cast<std::size_t>(scores.size(1));
    const auto numbers = [](const at::Tensor& t) {
        return std::span<const float>(t.data_ptr<float>(), static_cast<std::size_t>(t.numel()));
    };
    std::vector<std::uint64_t> counts(experts * experts);
    numerics::addRankCounts(numbers(scores), numbers(norms), experts, counts);
    return counts;
}

}  // namespace

TEST_CASE("rankCountsOf: what the loops count", "[core][experiments][cuda]") {
    for (const at::Device device : tests::devices()) {
        for (const auto& [rows, experts] :
             {std::pair{1, 1}, {0, 5}, {9, 4}, {40, 60}, {300, 8}, {50, 256}}) {
            CAPTURE(device.str(), rows, experts);
            const at::Tensor scores = awkward(rows, experts);
            const at::Tensor norms = awkward(rows, experts).flip({0}).contiguous();
            const auto expected = countsOf(scores, norms);
            const at::Tensor found =
                experiments::rankCountsOf(scores.to(device), norms.to(device)).cpu();
            REQUIRE(found.numel() == static_cast<std::int64_t>(expected.size()));
            const auto* counts = found.data_ptr<std::int64_t>();
            CHECK(std::equal(expected.begin(), expected.end(), counts,
                             [](std::uint64_t a, std::int64_t b) {
                                 return a == static_cast<std::uint64_t>(b);
                             }));
        }
    }
}

TEST_CASE("nonFiniteRows: of either", "[core][experiments][cuda]") {
    for (const at::Device device : tests::devices()) {
        const at::Tensor scores = awkward(9, 4).to(device);
        const at::Tensor norms = at::ones({9, 4}, scores.options());
        CHECK(experiments::nonFiniteRows(scores, norms).item<std::int64_t>() == 4);
        CHECK(experiments::nonFiniteRows(norms, norms).item<std::int64_t>() == 0);
        norms[0][3] = std::nan("");
        CHECK(experiments::nonFiniteRows(scores, norms).item<std::int64_t>() == 5);
    }
}
