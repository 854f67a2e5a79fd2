// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/token_similarity.h"

#include "core/numerics/similarity.h"
#include "tests/support/catch.h"

#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <random>
#include <set>
#include <vector>

using namespace moescope;

namespace {

/// Vectors of tokens as an engine holds them: [vectors, tokens, length].
struct Outputs {
    Outputs(std::size_t vectorCount, std::size_t tokenCount, std::size_t size, unsigned seed)
        : vectors(vectorCount), tokens(tokenCount), length(size) {
        std::mt19937 generator(seed);
        std::normal_distribution<float> normal;
        values.resize(vectors * tokens * length);
        for (float& value : values) {
            value = normal(generator);
        }
    }
    [[nodiscard]] float& at(std::size_t v, std::size_t t, std::size_t k) {
        return values[(v * tokens + t) * length + k];
    }
    [[nodiscard]] numerics::TokenVectors view() const {
        return {.data = values.data(),
                .vectors = vectors,
                .tokens = tokens,
                .length = length,
                .vectorStride = tokens * length,
                .tokenStride = length};
    }

    std::size_t vectors, tokens, length;
    std::vector<float> values;
};

using Wide = std::vector<std::vector<long double>>;

Wide widened(Outputs& outputs, std::size_t token, std::size_t count, bool centred) {
    Wide x(count, std::vector<long double>(outputs.length));
    for (std::size_t k = 0; k < outputs.length; ++k) {
        long double mean = 0.0L;
        for (std::size_t v = 0; v < count; ++v) {
            x[v][k] = outputs.at(v, token, k);
            mean += x[v][k] / static_cast<long double>(count);
        }
        for (std::size_t v = 0; centred && v < count; ++v) {
            x[v][k] -= mean;
        }
    }
    return x;
}

/// The definition, in extended precision.
std::vector<double> slowSums(Outputs& outputs, std::size_t count, bool centred) {
    std::vector<double> sums(count * count);
    for (std::size_t token = 0; token < outputs.tokens; ++token) {
        const Wide x = widened(outputs, token, count, centred);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                long double dot = 0.0L;
                long double own = 0.0L;
                long double other = 0.0L;
                for (std::size_t k = 0; k < outputs.length; ++k) {
                    dot += x[i][k] * x[j][k];
                    own += x[i][k] * x[i][k];
                    other += x[j][k] * x[j][k];
                }
                const long double norms =
                    std::max(std::sqrt(own), 1e-8L) * std::max(std::sqrt(other), 1e-8L);
                const long double cosine = std::clamp(dot / norms, -1.0L, 1.0L);
                sums[i * count + j] +=
                    i == j ? 1.0
                           : static_cast<double>(1.0L - std::acos(cosine) /
                                                            std::numbers::pi_v<long double>);
            }
        }
    }
    return sums;
}

struct Sums {
    std::vector<double> angular, relative;
    std::uint64_t notFinite = 0;
};

Sums run(const Outputs& outputs, std::size_t centred,
         numerics::TokenSimilarityOptions options = {}) {
    Sums sums{std::vector<double>(outputs.vectors * outputs.vectors),
              std::vector<double>(centred * centred), 0};
    options.centred = centred;
    sums.notFinite = addTokenSimilarities(outputs.view(), options, {sums.angular, sums.relative});
    return sums;
}

void checkAll(const std::vector<double>& found, const std::vector<double>& expected,
              double margin) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        INFO("element " << i);
        CHECK(found[i] == Approx(expected[i]).margin(margin));
    }
}

}  // namespace

TEST_CASE("toAngularSimilarities: is one minus the angle over pi", "[core][numerics]") {
    std::vector<double> cosines{-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.0 + 1e-7, 0.99999999};
    for (int i = -4999; i < 5000; ++i) {
        cosines.push_back(i / 5000.0);
    }
    std::vector<double> found = cosines;
    numerics::toAngularSimilarities(found);
    for (std::size_t i = 0; i < cosines.size(); ++i) {
        INFO(cosines[i]);
        CHECK(std::abs(found[i] - numerics::angularSimilarity(cosines[i])) < 5e-16);
    }
    std::vector<double> none{std::nan(""), 0.0, std::numeric_limits<double>::quiet_NaN()};
    numerics::toAngularSimilarities(none);
    CHECK(std::isnan(none[0]));
    CHECK(none[1] == 0.5);
    CHECK(std::isnan(none[2]));
}

TEST_CASE("addTokenSimilarities: equals the definition", "[core][numerics]") {
    for (const std::size_t vectors : {1U, 2U, 5U, 8U, 9U, 33U}) {
        for (const std::size_t length : {1U, 7U, 64U, 3001U}) {
            INFO(vectors << " vectors of " << length);
            Outputs outputs(vectors, 3, length, 11U);
            const std::size_t centred = vectors > 1 ? vectors - 1 : 1;
            const Sums sums = run(outputs, centred);
            // Vectors in line: the angle is the root of what the cosine lacks of 1.
            const double inLine = 1e-7;
            checkAll(sums.angular, slowSums(outputs, vectors, false), length == 1 ? inLine : 1e-12);
            checkAll(sums.relative, slowSums(outputs, centred, true),
                     length == 1 || centred == 2 ? inLine : 1e-9);
            CHECK(sums.notFinite == 0);
        }
    }
}

TEST_CASE("addTokenSimilarities: any number of threads, the same bits", "[core][numerics]") {
    const Outputs outputs(6, 101, 40, 3U);
    const Sums one = run(outputs, 5);
    for (const unsigned threads : {2U, 5U}) {
        const Sums more = run(outputs, 5, {.threads = threads});
        CHECK(more.angular == one.angular);
        CHECK(more.relative == one.relative);
    }
}

TEST_CASE("addTokenSimilarities: experts that are nearly or wholly alike", "[core][numerics]") {
    Outputs outputs(4, 2, 500, 5U);
    for (std::size_t v = 1; v < 4; ++v) {
        for (std::size_t k = 0; k < 500; ++k) {
            // Of the first token a millionth is their own, of the second nothing.
            outputs.at(v, 0, k) = outputs.at(0, 0, k) * (1.0F + 1e-6F * outputs.at(v, 0, k));
            outputs.at(v, 1, k) = outputs.at(0, 1, k);
        }
    }
    const Sums sums = run(outputs, 4);
    checkAll(sums.angular, slowSums(outputs, 4, false), 1e-7);
    checkAll(sums.relative, slowSums(outputs, 4, true), 1e-7);
}

TEST_CASE("addTokenSimilarities: tokens that do not count, and all are shown", "[core][numerics]") {
    Outputs outputs(3, 40, 16, 9U);
    outputs.at(1, 4, 2) = std::numeric_limits<float>::quiet_NaN();
    outputs.at(2, 7, 0) = std::numeric_limits<float>::infinity();
    std::mutex mutex;
    std::set<std::size_t> seen;
    int sizes = 0;
    const Sums sums = run(outputs, 2,
                          {.threads = 3,
                           .counts = [](std::size_t token) { return token != 7; },
                           .visit =
                               [&](std::size_t token, std::span<const double> gram) {
                                   const std::lock_guard lock(mutex);
                                   seen.insert(token);
                                   sizes += gram.size() == 9 ? 1 : 0;
                               }});
    CHECK(seen.size() == 40);
    CHECK(sizes == 40);
    CHECK(sums.notFinite == 1);  // the other does not count
    CHECK(std::isnan(sums.angular[0 * 3 + 1]));
    CHECK(std::isfinite(sums.angular[0 * 3 + 2]));
    CHECK(std::isnan(sums.relative[1]));
    CHECK(sums.angular[0] == 39.0);
}

TEST_CASE("addTokenSimilarities: bfloat16 as the float32 values it stands for",
          "[core][numerics]") {
    Outputs outputs(5, 9, 70, 21U);
    std::vector<std::uint16_t> halves;
    for (float& value : outputs.values) {
        const auto bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U);
        halves.push_back(bits);
        value = std::bit_cast<float>(std::uint32_t{bits} << 16U);
    }
    const Sums expected = run(outputs, 5);
    numerics::TokenVectors view = outputs.view();
    view.data = nullptr;
    view.bfloat16 = halves.data();
    std::vector<double> angular(25);
    std::vector<double> relative(25);
    static_cast<void>(addTokenSimilarities(view, {.centred = 5}, {angular, relative}));
    CHECK(angular == expected.angular);
    CHECK(relative == expected.relative);
}
