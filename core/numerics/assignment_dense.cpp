// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment_dense.h"

#include "core/numerics/assignment_scan.h"

#include <algorithm>

namespace moescope::numerics::assignment {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Paths {
public:
    Paths(std::span<const float> values, State& state)
        : m_values(values),
          m_state(state),
          m_n(state.size()),
          m_openPrices(m_n),
          m_distances(m_n),
          m_from(m_n) {}

    void augment(std::uint32_t freeRow) {
        // A reached column takes no part in later minima: its distance is moved to m_reached, and
        // an infinite price keeps it from being relaxed.
        m_openPrices = m_state.prices;
        std::fill(m_distances.begin(), m_distances.end(), kInfinity);
        m_reached.clear();
        std::uint32_t row = freeRow;
        double base = 0.0;
        while (true) {
            const double smallest =
                scan::relax(m_values.data() + std::size_t{row} * m_n, m_openPrices.data(), m_n,
                            base, row, m_distances.data(), m_from.data());
            const std::uint32_t column = columnAt(smallest);
            if (m_state.rowOf[column] == kNone) {
                raisePrices(smallest);
                flip(column, freeRow);
                return;
            }
            m_reached.push_back({column, smallest});
            m_distances[column] = kInfinity;
            m_openPrices[column] = kInfinity;
            row = m_state.rowOf[column];
            base = smallest - cost(row, column);
        }
    }

private:
    struct Reached {
        std::uint32_t column;
        double distance;
    };

    [[nodiscard]] double cost(std::uint32_t row, std::uint32_t column) const {
        return m_state.prices[column] -
               static_cast<double>(m_values[std::size_t{row} * m_n + column]);
    }

    /// A free column at this distance if there is one.
    [[nodiscard]] std::uint32_t columnAt(double distance) const {
        std::uint32_t found = kNone;
        for (std::size_t j = 0; j < m_n; ++j) {
            if (m_distances[j] == distance) {
                found = static_cast<std::uint32_t>(j);
                if (m_state.rowOf[j] == kNone) {
                    break;
                }
            }
        }
        return found;
    }

    void raisePrices(double length) {
        for (const Reached& reached : m_reached) {
            m_state.prices[reached.column] += length - reached.distance;
        }
    }

    void flip(std::uint32_t column, std::uint32_t freeRow) {
        while (true) {
            const std::uint32_t row = m_from[column];
            const std::uint32_t before = m_state.columnOf[row];
            m_state.match(row, column);
            if (row == freeRow) {
                return;
            }
            column = before;
        }
    }

    std::span<const float> m_values;
    State& m_state;
    std::size_t m_n;
    std::vector<double> m_openPrices;
    std::vector<double> m_distances;
    std::vector<std::uint32_t> m_from;
    std::vector<Reached> m_reached;
};

}  // namespace

void startDense(std::span<const float> values, State& state) {
    const std::size_t n = state.size();
    std::vector<float> largest(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
    std::vector<std::uint32_t> bidder(n, 0);
    for (std::size_t i = 1; i < n; ++i) {
        scan::raise(values.data() + i * n, n, static_cast<std::uint32_t>(i), largest.data(),
                    bidder.data());
    }
    for (std::size_t j = n; j-- > 0;) {
        state.prices[j] = static_cast<double>(largest[j]);
        if (state.columnOf[bidder[j]] == kNone) {
            state.match(bidder[j], static_cast<std::uint32_t>(j));
        }
    }
    reduceRows(state, [&](std::uint32_t row) {
        const scan::TwoSmallest found =
            scan::twoSmallest(values.data() + std::size_t{row} * n, state.prices.data(), n, kNone);
        return TwoCheapest{found.first, found.second, found.firstIndex, found.secondIndex};
    });
}

void finishDense(std::span<const float> values, State& state) {
    const std::vector<std::uint32_t> rows = state.freeRows();
    if (rows.empty()) {
        return;  // the rule for small matrices: worth not making the path's arrays
    }
    Paths paths(values, state);
    for (const std::uint32_t row : rows) {
        paths.augment(row);
    }
}

}  // namespace moescope::numerics::assignment
