// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

/// Internal to the assignment solver.
namespace moescope::numerics::assignment {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// What sparse and dense solver share: prices of columns and a partial matching that keeps to them.
/// The cost of (i, j) is prices[j] - values[i, j]; a matched row always sits at its cheapest
/// column.
struct State {
    explicit State(std::size_t n) : prices(n, 0.0), columnOf(n, kNone), rowOf(n, kNone) {}

    [[nodiscard]] std::size_t size() const { return columnOf.size(); }
    void match(std::uint32_t row, std::uint32_t column) {
        columnOf[row] = column;
        rowOf[column] = row;
    }
    [[nodiscard]] std::vector<std::uint32_t> freeRows() const {
        std::vector<std::uint32_t> rows;
        for (std::size_t i = 0; i < columnOf.size(); ++i) {
            if (columnOf[i] == kNone) {
                rows.push_back(static_cast<std::uint32_t>(i));
            }
        }
        return rows;
    }

    std::vector<double> prices;
    std::vector<std::uint32_t> columnOf;
    std::vector<std::uint32_t> rowOf;
};

/// The two cheapest columns of a row.
struct TwoCheapest {
    double first = std::numeric_limits<double>::infinity();
    double second = std::numeric_limits<double>::infinity();
    std::uint32_t firstColumn = kNone;
    std::uint32_t secondColumn = kNone;

    void offer(double cost, std::uint32_t column) {
        if (cost < first) {
            second = first;
            secondColumn = firstColumn;
            first = cost;
            firstColumn = column;
        } else if (cost < second) {
            second = cost;
            secondColumn = column;
        }
    }
};

/// Augmenting row reduction: free rows outbid each other for their cheapest columns. What stays
/// free is left to shortest paths. `cheapest(row)` gives the row's two cheapest columns.
template <typename Cheapest>
void reduceRows(State& state, const Cheapest& cheapest) {
    constexpr int kPasses = 2;
    // Prices can creep up by tiny steps; shortest paths are better at that.
    std::size_t budget = 4 * state.size();
    for (int pass = 0; pass < kPasses; ++pass) {
        std::vector<std::uint32_t> waiting = state.freeRows();
        for (std::size_t next = 0; next < waiting.size() && budget > 0;) {
            --budget;
            const std::uint32_t row = waiting[next];
            const TwoCheapest best = cheapest(row);
            std::uint32_t column = best.firstColumn;
            const bool strict = best.first < best.second;
            if (strict && best.second < std::numeric_limits<double>::infinity()) {
                state.prices[column] += best.second - best.first;
            } else if (!strict && state.rowOf[column] != kNone && best.secondColumn != kNone &&
                       state.rowOf[best.secondColumn] == kNone) {
                column = best.secondColumn;
            }
            const std::uint32_t loser = state.rowOf[column];
            if (loser == kNone) {
                state.match(row, column);
                ++next;
            } else if (strict) {
                state.columnOf[loser] = kNone;
                state.match(row, column);
                waiting[next] = loser;
            } else {
                ++next;  // a tie: no price would move
            }
        }
    }
}

}  // namespace moescope::numerics::assignment
