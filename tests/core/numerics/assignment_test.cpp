// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment.h"

#include "core/base/file_system.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/splitmix.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace moescope;

namespace {

using Matrix = std::vector<float>;

Matrix uniform(std::uint64_t seed, std::size_t count) {
    return tests::splitmixUniform(seed, count);
}

Matrix made(const std::string& kind, std::uint64_t seed, std::size_t n) {
    Matrix values = uniform(seed, n * n);
    const Matrix rows = uniform(seed + 1, n);
    const Matrix columns = uniform(seed + 2, n);
    const std::size_t step = std::gcd(std::size_t{7}, n) == 1 ? 7 : 1;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            float& value = values[i * n + j];
            if (kind == "ties") {
                value = std::floor(value * 4.0F);
            } else if (kind == "constant") {
                value = 0.5F;
            } else if (kind == "diagonal") {
                value += j == (i * step + seed) % n ? 1.0F : 0.0F;
            } else if (kind == "low_rank") {
                value = rows[i] * columns[j];
            } else if (kind == "blocks") {
                value = i % 8 == j % 8 ? value + 1.0F : value * 0.5F;
            }
        }
    }
    return values;
}

void checkPermutation(const numerics::Assignment& found, const Matrix& values) {
    const std::size_t n = found.columnOf.size();
    std::vector<bool> taken(n, false);
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
        REQUIRE(found.columnOf[i] < n);
        REQUIRE_FALSE(taken[found.columnOf[i]]);
        taken[found.columnOf[i]] = true;
        total += static_cast<double>(values[i * n + found.columnOf[i]]);
    }
    CHECK(found.total == Approx(total).epsilon(1e-12));
}

/// The best of all permutations.
double slowMaximum(const Matrix& values, std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    double best = -std::numeric_limits<double>::infinity();
    do {
        double total = 0;
        for (std::size_t i = 0; i < n; ++i) {
            total += static_cast<double>(values[i * n + order[i]]);
        }
        best = std::max(best, total);
    } while (std::next_permutation(order.begin(), order.end()));
    return best;
}

}  // namespace

TEST_CASE("maximumAssignment: the best of all permutations", "[core][numerics]") {
    std::mt19937 generator(7);
    std::uniform_int_distribution<int> die(-4, 4);
    for (std::size_t n = 1; n <= 7; ++n) {
        for (int round = 0; round < 30; ++round) {
            Matrix values(n * n);
            std::generate(values.begin(), values.end(), [&] {
                return static_cast<float>(die(generator)) * (round % 2 == 0 ? 1.0F : 0.37F);
            });
            const auto found = numerics::maximumAssignment(values, n);
            checkPermutation(found, values);
            CHECK(found.total == Approx(slowMaximum(values, n)).margin(1e-5));
        }
    }
}

TEST_CASE("maximumAssignment: SciPy's objective on 250 matrices", "[core][numerics]") {
    const auto file = tests::sourceDir() / "tests/data/reference/numerics/assignment.json";
    const auto reference = nlohmann::json::parse(readTextFile(file, 1U << 20U));
    REQUIRE(reference.at("cases").size() == 250);
    for (const auto& entry : reference.at("cases")) {
        const auto kind = entry.at("kind").get<std::string>();
        const auto n = entry.at("n").get<std::size_t>();
        INFO(kind << " " << n << " seed " << entry.at("seed"));
        const Matrix values = made(kind, entry.at("seed").get<std::uint64_t>(), n);
        const auto objective = entry.at("objective").get<double>();
        const auto found = numerics::maximumAssignment(values, n);
        checkPermutation(found, values);
        CHECK(found.total == Approx(objective).epsilon(1e-6));
    }
}

TEST_CASE("maximumAssignment: finds a hidden permutation", "[core][numerics]") {
    constexpr std::size_t kSize = 700;
    Matrix values = uniform(3, kSize * kSize);
    std::vector<std::uint32_t> hidden(kSize);
    std::iota(hidden.begin(), hidden.end(), 0U);
    std::shuffle(hidden.begin(), hidden.end(), std::mt19937(5));
    for (std::size_t i = 0; i < kSize; ++i) {
        values[i * kSize + hidden[i]] += 1.0F;
    }
    numerics::AssignmentEffort effort;
    CHECK(numerics::maximumAssignment(values, kSize, &effort).columnOf == hidden);
    CHECK_FALSE(effort.dense);
    CHECK(effort.coreEntries < kSize * kSize / 8);
}

TEST_CASE("maximumAssignment: permuted rows and shifts change nothing else", "[core][numerics]") {
    constexpr std::size_t kSize = 260;
    const Matrix values = uniform(11, kSize * kSize);
    const auto found = numerics::maximumAssignment(values, kSize);
    Matrix turned(values.size());
    for (std::size_t i = 0; i < kSize; ++i) {
        const auto from = values.begin() + static_cast<std::ptrdiff_t>(((i + 19) % kSize) * kSize);
        std::transform(from, from + static_cast<std::ptrdiff_t>(kSize),
                       turned.begin() + static_cast<std::ptrdiff_t>(i * kSize),
                       [](float value) { return value - 3.0F; });
    }
    const auto again = numerics::maximumAssignment(turned, kSize);
    CHECK(again.total == Approx(found.total - 3.0 * kSize).epsilon(1e-6));
}

TEST_CASE("maximumAssignment: refuses what is no square of numbers", "[core][numerics]") {
    CHECK(numerics::maximumAssignment({}, 0).columnOf.empty());
    CHECK_THROWS_AS(numerics::maximumAssignment(Matrix(6), 2), std::invalid_argument);
    Matrix values(4, 1.0F);
    values[2] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(numerics::maximumAssignment(values, 2), std::invalid_argument);
    values[2] = -std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(numerics::maximumAssignment(values, 2), std::invalid_argument);
}
