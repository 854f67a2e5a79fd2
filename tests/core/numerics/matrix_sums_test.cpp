// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/matrix_sums.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace moescope::numerics;

namespace {

enum class Kind { Float, Bfloat16 };

/// Some matrices of the same shape; in both kinds the same values.
class Sample {
public:
    Sample(Kind kind, std::size_t count, std::size_t rows, std::size_t columns)
        : m_kind(kind), m_rows(rows), m_columns(columns) {
        m_floats.assign(count, std::vector<float>(rows * columns));
        m_bfloat16.assign(count, std::vector<std::uint16_t>(rows * columns));
    }
    void set(std::size_t matrix, std::size_t k, float value) {
        const auto bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U);
        m_bfloat16[matrix][k] = bits;
        m_floats[matrix][k] = m_kind == Kind::Float
                                  ? value
                                  : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
    }
    [[nodiscard]] double at(std::size_t matrix, std::size_t k) const {
        return static_cast<double>(m_floats[matrix][k]);
    }
    [[nodiscard]] std::size_t count() const { return m_floats.size(); }
    [[nodiscard]] std::size_t rows() const { return m_rows; }
    [[nodiscard]] std::size_t columns() const { return m_columns; }
    [[nodiscard]] std::size_t elements() const { return m_rows * m_columns; }

    /// Rows [first, first + rows) of all.
    [[nodiscard]] MatrixSums sums(const MatrixSumsOptions& options, std::size_t first,
                                  std::size_t rows, MatrixSums into = {}) const {
        std::vector<const float*> floats;
        std::vector<const std::uint16_t*> bfloat16;
        for (std::size_t i = 0; i < count(); ++i) {
            if (m_kind == Kind::Float) {
                floats.push_back(m_floats[i].data() + first * m_columns);
            } else {
                bfloat16.push_back(m_bfloat16[i].data() + first * m_columns);
            }
        }
        addMatrixSums({floats, bfloat16, rows, m_columns}, options, into);
        return into;
    }
    [[nodiscard]] MatrixSums sums(const MatrixSumsOptions& options) const {
        return sums(options, 0, m_rows);
    }

private:
    Kind m_kind;
    std::size_t m_rows, m_columns;
    std::vector<std::vector<float>> m_floats;
    std::vector<std::vector<std::uint16_t>> m_bfloat16;
};

/// Correlated, as experts that grew from one model are: `likeness` times as much in common as of
/// their own.
Sample randomSample(Kind kind, std::size_t count, std::size_t rows, std::size_t columns,
                    unsigned seed, float likeness = 2.0F) {
    Sample sample(kind, count, rows, columns);
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (std::size_t k = 0; k < rows * columns; ++k) {
        const float common = likeness * normal(generator);
        for (std::size_t i = 0; i < count; ++i) {
            sample.set(i, k, common + normal(generator));
        }
    }
    return sample;
}

enum class Base { Nothing, Reference, Mean, Standardised };

/// By the definition, in long double, of the first n matrices.
std::vector<double> slowGram(const Sample& x, std::size_t n, Base base, std::size_t reference) {
    std::vector<long double> sums(n * n);
    std::vector<long double> y(n);
    for (std::size_t k = 0; k < x.elements(); ++k) {
        long double mean = 0.0L;
        for (std::size_t i = 0; i < n; ++i) {
            mean += static_cast<long double>(x.at(i, k)) / static_cast<long double>(n);
        }
        long double square = 0.0L;
        for (std::size_t i = 0; i < n; ++i) {
            const long double difference = static_cast<long double>(x.at(i, k)) - mean;
            square += difference * difference;
        }
        const long double deviation = std::sqrt(square / static_cast<long double>(n - 1));
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = static_cast<long double>(x.at(i, k));
            if (base == Base::Reference) {
                y[i] -= static_cast<long double>(x.at(reference, k));
            } else if (base != Base::Nothing) {
                y[i] -= mean;
            }
            if (base == Base::Standardised) {
                y[i] = deviation > 0.0L ? y[i] / deviation : 0.0L;
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                sums[i * n + j] += y[i] * y[j];
            }
        }
    }
    return {sums.begin(), sums.end()};
}

void checkSquare(const std::vector<double>& found, const std::vector<double>& expected,
                 double tolerance = 3e-7) {
    REQUIRE(found.size() == expected.size());
    double largest = 0.0;
    for (const double value : expected) {
        largest = std::max(largest, std::abs(value));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(std::abs(found[i] - expected[i]) <= tolerance * largest);
    }
}

void checkAlong(const Sample& x, bool alongRows, const std::vector<double>& found) {
    const std::size_t length = alongRows ? x.columns() : x.rows();
    REQUIRE(found.size() == x.count() * length);
    for (std::size_t i = 0; i < x.count(); ++i) {
        std::vector<long double> sums(length);
        std::vector<long double> magnitudes(length);
        for (std::size_t k = 0; k < x.elements(); ++k) {
            const std::size_t place = alongRows ? k % x.columns() : k / x.columns();
            sums[place] += static_cast<long double>(x.at(i, k));
            magnitudes[place] += std::abs(static_cast<long double>(x.at(i, k)));
        }
        for (std::size_t place = 0; place < length; ++place) {
            const auto difference = static_cast<double>(sums[place]) - found[i * length + place];
            CHECK(std::abs(difference) <= 6e-8 * static_cast<double>(magnitudes[place]));
        }
    }
}

}  // namespace

TEST_CASE("addMatrixSums: what the definitions say", "[core][numerics]") {
    const Kind kind = GENERATE(Kind::Float, Kind::Bfloat16);
    // With more in common than of their own, matrices are centred before products, else after.
    const float likeness = GENERATE(0.3F, 2.0F);
    struct Shape {
        std::size_t count, rows, columns;
    };
    for (const Shape shape : {Shape{2, 1, 1}, Shape{3, 5, 3}, Shape{9, 40, 25}, Shape{9, 7, 10001},
                              Shape{5, 3000, 23}, Shape{65, 20, 50}, Shape{130, 2, 500}}) {
        CAPTURE(kind == Kind::Float, likeness, shape.count, shape.rows, shape.columns);
        const Sample x = randomSample(kind, shape.count, shape.rows, shape.columns,
                                      static_cast<unsigned>(shape.count + shape.columns), likeness);
        const std::size_t some = std::max<std::size_t>(shape.count - 1, 2);
        const bool alongRows = shape.rows > 10;
        MatrixSumsOptions options{.products = true,
                                  .compared = some,
                                  .reference = shape.count - 1,
                                  .points = some,
                                  .standardised = true,
                                  .along = alongRows ? SumAlong::Rows : SumAlong::Columns,
                                  .threads = 2};
        const MatrixSums first = x.sums(options);
        INFO("products");
        checkSquare(first.products, slowGram(x, shape.count, Base::Nothing, 0));
        INFO("relative to a matrix");
        checkSquare(first.relative, slowGram(x, some, Base::Reference, shape.count - 1));
        INFO("standardised");
        checkSquare(first.columnwise, slowGram(x, some, Base::Standardised, 0));
        checkAlong(x, alongRows, first.along);
        options.reference.reset();
        options.standardised = false;
        const MatrixSums second = x.sums(options);
        const std::vector<double> centred = slowGram(x, some, Base::Mean, 0);
        INFO("relative to the mean");
        checkSquare(second.relative, centred);
        INFO("centred");
        checkSquare(second.columnwise, centred);
        CHECK(std::count(first.nonFinite.begin(), first.nonFinite.end(), 0) ==
              static_cast<std::ptrdiff_t>(shape.count));
    }
}

TEST_CASE("addMatrixSums: near copies keep their digits after centring", "[core][numerics]") {
    // What they have in common is 20 times their own: its square would swallow four digits.
    for (const Kind kind : {Kind::Float, Kind::Bfloat16}) {
        const Sample x = randomSample(kind, 6, 50, 100, 9, 20.0F);
        const MatrixSums sums = x.sums({.compared = 6, .points = 6});
        checkSquare(sums.relative, slowGram(x, 6, Base::Mean, 0));
        checkSquare(sums.columnwise, slowGram(x, 6, Base::Standardised, 0), 1e-6);
    }
}

TEST_CASE("addMatrixSums: the number of threads changes nothing", "[core][numerics]") {
    const Kind kind = GENERATE(Kind::Float, Kind::Bfloat16);
    const SumAlong along = GENERATE(SumAlong::Rows, SumAlong::Columns);
    const Sample x = randomSample(kind, 9, 600, 2500, 5);
    MatrixSumsOptions options{
        .products = true, .compared = 8, .reference = {}, .points = 9, .along = along};
    const MatrixSums one = x.sums(options);
    options.threads = 3;
    const MatrixSums three = x.sums(options);
    CHECK(one.products == three.products);
    CHECK(one.relative == three.relative);
    CHECK(one.columnwise == three.columnwise);
    CHECK(one.along == three.along);
}

TEST_CASE("addMatrixSums: many matrices are shared out among all threads", "[core][numerics]") {
    // A task's results are 3 x 512 x 512 numbers: one would fill a round.
    MatrixSumsOptions options{.products = true, .compared = 512, .reference = {}, .points = 512};
    const auto one = matrixSumsBytes(512, 256, 1024, options);
    options.threads = 8;
    CHECK(matrixSumsBytes(512, 256, 1024, options) >= one + 7 * 3 * 512 * 512 * sizeof(double));
    const Sample x = randomSample(Kind::Bfloat16, 512, 16, 256, 12);
    const MatrixSums eight = x.sums(options);
    options.threads = 1;
    const MatrixSums alone = x.sums(options);
    CHECK(eight.products == alone.products);
    CHECK(eight.relative == alone.relative);
    CHECK(eight.columnwise == alone.columnwise);
}

TEST_CASE("addMatrixSums: adds to what is there, band after band", "[core][numerics]") {
    const Sample x = randomSample(Kind::Bfloat16, 5, 50, 100, 6);
    const MatrixSumsOptions options{
        .products = true, .compared = 5, .points = 5, .along = SumAlong::Rows};
    const MatrixSums whole = x.sums(options);
    const MatrixSums parts = x.sums(options, 17, 33, x.sums(options, 0, 17));
    checkSquare(parts.products, whole.products);
    checkSquare(parts.relative, whole.relative);
    checkSquare(parts.columnwise, whole.columnwise);
    checkSquare(parts.along, whole.along, 1e-7);
}

TEST_CASE("addMatrixSums: equal matrices are exactly nothing after centring", "[core][numerics]") {
    for (const std::size_t count : {3, 7, 9}) {
        Sample x = randomSample(Kind::Bfloat16, count, 30, 100, 7);
        for (std::size_t k = 0; k < x.elements(); ++k) {
            for (std::size_t i = 1; i < count; ++i) {
                x.set(i, k, static_cast<float>(x.at(0, k)));
            }
        }
        const MatrixSums sums =
            x.sums({.compared = count, .reference = count - 1, .points = count});
        const MatrixSums centred =
            x.sums({.compared = count, .points = count, .standardised = false});
        const auto isNothing = [](double value) { return value == 0.0; };
        for (const auto* list :
             {&sums.relative, &sums.columnwise, &centred.relative, &centred.columnwise}) {
            CHECK(std::all_of(list->begin(), list->end(), isNothing));
        }
    }
}

TEST_CASE("addMatrixSums: NaN and infinity stay in their matrix and are told", "[core][numerics]") {
    for (const Kind kind : {Kind::Float, Kind::Bfloat16}) {
        const float value = GENERATE(std::numeric_limits<float>::quiet_NaN(),
                                     std::numeric_limits<float>::infinity());
        Sample x = randomSample(kind, 4, 10, 11, 8);
        x.set(2, 50, value);
        const MatrixSums sums = x.sums({.products = true, .along = SumAlong::Rows});
        CHECK(sums.nonFinite == std::vector<std::uint8_t>{0, 0, 1, 0});
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                CHECK(std::isfinite(sums.products[i * 4 + j]) == (i != 2 && j != 2));
            }
            CHECK(std::isfinite(sums.along[i * 11 + 50 % 11]) == (i != 2));
        }
        CHECK(x.sums({}).nonFinite == sums.nonFinite);
    }
}

TEST_CASE("addMatrixSums: the largest finite numbers are finite", "[core][numerics]") {
    Sample x(Kind::Bfloat16, 2, 1, 3);
    x.set(0, 0, 3e38F);
    x.set(1, 2, -3e38F);
    CHECK(x.sums({}).nonFinite == std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("addMatrixSums: impossible wishes are refused", "[core][numerics]") {
    const Sample x = randomSample(Kind::Float, 3, 4, 5, 1);
    CHECK_THROWS(x.sums({.compared = 4}));
    CHECK_THROWS(x.sums({.points = 4}));
    CHECK_THROWS(x.sums({.compared = 2, .reference = 3}));
}
