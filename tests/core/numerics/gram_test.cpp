// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/gram.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace moescope::numerics;

namespace {

struct Matrix {
    std::size_t rows, columns, stride;
    std::vector<float> values;
    [[nodiscard]] RowsView view() const { return {values.data(), rows, columns, stride}; }
    [[nodiscard]] double at(std::size_t r, std::size_t k) const {
        return static_cast<double>(values[r * stride + k]);
    }
};

/// Correlated rows, as experts that grew from one model are; the gap between rows is NaN.
Matrix randomRows(std::size_t rows, std::size_t columns, unsigned seed) {
    Matrix matrix{rows, columns, columns + 3, {}};
    matrix.values.assign(rows * matrix.stride, std::numeric_limits<float>::quiet_NaN());
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (std::size_t k = 0; k < columns; ++k) {
        const float common = 2.0F * normal(generator);
        for (std::size_t r = 0; r < rows; ++r) {
            matrix.values[r * matrix.stride + k] = common + normal(generator);
        }
    }
    return matrix;
}

/// By the definition, in long double.
std::vector<double> slowGram(const Matrix& x, const GramOptions& options) {
    const std::size_t n = options.count;
    std::vector<long double> sums(n * n);
    std::vector<long double> y(n);
    for (std::size_t k = 0; k < x.columns; ++k) {
        long double mean = 0.0L;
        for (std::size_t r = 0; r < n; ++r) {
            mean += static_cast<long double>(x.at(r, k)) / static_cast<long double>(n);
        }
        long double square = 0.0L;
        for (std::size_t r = 0; r < n; ++r) {
            const long double difference = static_cast<long double>(x.at(r, k)) - mean;
            square += difference * difference;
        }
        const long double deviation = std::sqrt(square / static_cast<long double>(n - 1));
        for (std::size_t r = 0; r < n; ++r) {
            y[r] = static_cast<long double>(x.at(r, k));
            if (options.centring == Centring::Row) {
                y[r] -= static_cast<long double>(x.at(options.reference, k));
            } else if (options.centring != Centring::None) {
                y[r] -= mean;
            }
            if (options.centring == Centring::Standardised) {
                y[r] = deviation > 0.0L ? y[r] / deviation : 0.0L;
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

std::vector<double> gramOf(const Matrix& x, const GramOptions& options) {
    std::vector<double> gram(options.count * options.count);
    addGram(x.view(), options, gram);
    return gram;
}

}  // namespace

TEST_CASE("addGram: the products that the definition says", "[core][numerics]") {
    for (const std::size_t rows : {2, 3, 9, 65}) {
        for (const std::size_t columns : {1, 15, 1000, 70001}) {
            const Matrix x = randomRows(rows, columns, static_cast<unsigned>(rows + columns));
            for (const Centring centring :
                 {Centring::None, Centring::Row, Centring::Mean, Centring::Standardised}) {
                if (rows == 65 && columns > 1000) {
                    continue;  // the plain way takes too long
                }
                GramOptions options{centring, rows - 1, rows - 1, 2};
                if (centring == Centring::None || rows == 2) {
                    options.count = rows;
                }
                CAPTURE(rows, columns, static_cast<int>(centring));
                const std::vector<double> expected = slowGram(x, options);
                const std::vector<double> gram = gramOf(x, options);
                double largest = 0.0;
                for (const double value : expected) {
                    largest = std::max(largest, std::abs(value));
                }
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    CHECK(std::abs(gram[i] - expected[i]) <= 3e-7 * largest);
                }
            }
        }
    }
}

TEST_CASE("addGram: the number of threads changes nothing", "[core][numerics]") {
    const Matrix x = randomRows(9, 400'000, 5);
    GramOptions options{Centring::Standardised, 9, 0, 1};
    const std::vector<double> one = gramOf(x, options);
    options.threads = 3;
    CHECK(gramOf(x, options) == one);
}

TEST_CASE("addGram: adds to what is there, slab after slab", "[core][numerics]") {
    const Matrix x = randomRows(5, 5000, 6);
    const GramOptions options{Centring::Mean, 5, 0, 1};
    const std::vector<double> whole = gramOf(x, options);
    std::vector<double> parts(25);
    for (std::size_t first = 0; first < 5000; first += 1700) {
        const std::size_t width = std::min<std::size_t>(1700, 5000 - first);
        addGram({x.values.data() + first, 5, width, x.stride}, options, parts);
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(parts[i] == Approx(whole[i]).epsilon(1e-6).margin(1e-3));
    }
}

TEST_CASE("addGram: equal rows are exactly nothing after centring", "[core][numerics]") {
    for (const std::size_t rows : {3, 7, 9}) {
        Matrix x = randomRows(1, 3000, 7);
        x.rows = rows;
        x.stride = 0;  // one row, seen several times
        for (const Centring centring : {Centring::Row, Centring::Mean, Centring::Standardised}) {
            const std::vector<double> gram = gramOf(x, {centring, rows, 0, 1});
            CHECK(std::all_of(gram.begin(), gram.end(), [](double v) { return v == 0.0; }));
        }
    }
}

TEST_CASE("addGram: NaN stays in its row without centring", "[core][numerics]") {
    Matrix x = randomRows(4, 100, 8);
    x.values[2 * x.stride + 50] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<double> gram = gramOf(x, {Centring::None, 4, 0, 1});
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            CHECK(std::isnan(gram[i * 4 + j]) == (i == 2 || j == 2));
        }
    }
}
