// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment_scan.h"

#include "tests/support/catch.h"
#include "tests/support/splitmix.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace moescope;
namespace scan = numerics::scan;

namespace {

constexpr std::uint32_t kNone = 0xffffffffU;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Row {
    std::vector<float> values, subtract;
    std::vector<double> prices;
};

/// Few distinct values, so that there are ties.
Row rowOf(std::size_t n) {
    Row row;
    const auto uniform = tests::splitmixUniform(n + 1, 3 * n);
    for (std::size_t j = 0; j < n; ++j) {
        const auto coarse = [&](std::size_t at) {
            return static_cast<float>(static_cast<int>(uniform[at] * 64.0F)) / 64.0F;
        };
        row.values.push_back(coarse(j));
        row.subtract.push_back(coarse(n + j));
        row.prices.push_back(coarse(2 * n + j));
    }
    return row;
}

void checkMark(const scan::Passes& passes, const Row& row) {
    const std::size_t n = row.values.size();
    std::vector<scan::Mask> masks(scan::maskWords(n) + 1, ~scan::Mask{0});
    passes.markAbove(row.values.data(), row.subtract.data(), n, 0.25F, masks.data());
    std::vector<std::size_t> marked;
    scan::forEachMarked(masks.data(), n, [&](std::size_t j) { marked.push_back(j); });
    std::vector<std::size_t> expected;
    for (std::size_t j = 0; j < n; ++j) {
        if (row.values[j] - row.subtract[j] > 0.25F) {
            expected.push_back(j);
        }
    }
    CHECK(marked == expected);
    CHECK(masks.back() == ~scan::Mask{0});
}

void checkRelax(const scan::Passes& passes, const Row& row) {
    const std::size_t n = row.values.size();
    std::vector<double> distances(n + 1, 0.5);
    std::vector<std::uint32_t> from(n + 1, kNone);
    const double least = passes.relax(row.values.data(), row.prices.data(), n, 0.375, 7,
                                      distances.data(), from.data());
    double expected = kInfinity;
    for (std::size_t j = 0; j < n; ++j) {
        const double distance = 0.375 + (row.prices[j] - static_cast<double>(row.values[j]));
        CHECK(distances[j] == std::min(0.5, distance));
        CHECK(from[j] == (distance < 0.5 ? 7 : kNone));
        expected = std::min(expected, distances[j]);
    }
    CHECK(least == expected);
    CHECK(distances[n] == 0.5);
    CHECK(from[n] == kNone);
}

void checkTwoSmallest(const scan::Passes& passes, const Row& row) {
    const std::size_t n = row.values.size();
    const scan::TwoSmallest found =
        passes.twoSmallest(row.values.data(), row.prices.data(), n, kNone);
    std::vector<std::pair<double, std::uint32_t>> costs;
    for (std::size_t j = 0; j < n; ++j) {
        costs.emplace_back(row.prices[j] - static_cast<double>(row.values[j]),
                           static_cast<std::uint32_t>(j));
    }
    costs.resize(n + 2, {kInfinity, kNone});
    std::sort(costs.begin(), costs.end());
    CHECK(found.first == costs[0].first);
    CHECK(found.second == costs[1].first);
    CHECK(found.firstIndex == costs[0].second);
    const bool tie = n > 1 && costs[0].first == costs[1].first;
    CHECK(found.secondIndex == (tie ? costs[1].second : kNone));
}

void checkRaise(const scan::Passes& passes, const Row& row) {
    const std::size_t n = row.values.size();
    std::vector<float> largest(n + 1, 0.5F);
    std::vector<std::uint32_t> from(n + 1, kNone);
    passes.raise(row.values.data(), n, 9, largest.data(), from.data());
    for (std::size_t j = 0; j < n; ++j) {
        CHECK(largest[j] == std::max(0.5F, row.values[j]));
        CHECK(from[j] == (row.values[j] > 0.5F ? 9 : kNone));
    }
    CHECK(largest[n] == 0.5F);
    CHECK(from[n] == kNone);
}

}  // namespace

TEST_CASE("scan: every level of instructions gives what a plain loop gives", "[core][numerics]") {
    const auto [level, name] =
        GENERATE(table<scan::Level, std::string>({{scan::Level::Portable, "portable"},
                                                  {scan::Level::Avx2, "AVX2"},
                                                  {scan::Level::Avx512, "AVX-512"}}));
    if (!scan::isSupported(level)) {
        WARN("skipped: this processor has no " << name);
        return;
    }
    const scan::Passes& passes = scan::passesOf(level);
    for (const std::size_t n : {0, 1, 2, 7, 8, 15, 16, 17, 22, 63, 64, 65, 127, 128, 200, 1408}) {
        INFO(name << ", " << n << " entries");
        const Row row = rowOf(n);
        checkMark(passes, row);
        checkRelax(passes, row);
        checkTwoSmallest(passes, row);
        checkRaise(passes, row);
    }
}
