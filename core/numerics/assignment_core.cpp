// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment_core.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace moescope::numerics::assignment {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Dijkstra from a free row to the nearest free column, with a heap; columns stand for the rows
/// matched with them.
class Paths {
public:
    Paths(const Core& core, State& state)
        : m_core(core),
          m_state(state),
          m_distances(state.size(), kInfinity),
          m_from(state.size(), kNone),
          m_isReached(state.size(), 0) {}

    void augment(std::uint32_t freeRow) {
        m_nearestFree = kInfinity;
        m_freeColumn = kNone;
        relax(freeRow, 0.0);
        while (!m_heap.empty()) {
            const auto [distance, column] = m_heap.front();
            if (distance >= m_nearestFree) {
                break;
            }
            std::pop_heap(m_heap.begin(), m_heap.end(), kFarther);
            m_heap.pop_back();
            if (m_isReached[column] != 0 || distance > m_distances[column]) {
                continue;
            }
            m_isReached[column] = 1;
            m_reached.push_back(column);
            const std::uint32_t row = m_state.rowOf[column];
            relax(row, distance - costOfMatch(row, column));
        }
        if (m_freeColumn == kNone) {
            throw std::logic_error("the core of an assignment holds no perfect matching");
        }
        for (const std::uint32_t column : m_reached) {
            m_state.prices[column] += m_nearestFree - m_distances[column];
        }
        flip(freeRow);
        forget();
    }

private:
    struct Step {
        double distance;
        std::uint32_t column;
    };
    static constexpr auto kFarther = [](const Step& a, const Step& b) {
        return a.distance > b.distance;
    };

    [[nodiscard]] double costOfMatch(std::uint32_t row, std::uint32_t column) const {
        const auto entries = m_core.row(row);
        const auto found =
            std::lower_bound(entries.begin(), entries.end(), column,
                             [](const Core::Entry& e, std::uint32_t c) { return e.column < c; });
        return m_state.prices[column] - static_cast<double>(found->value);
    }

    void relax(std::uint32_t row, double base) {
        for (const Core::Entry& entry : m_core.row(row)) {
            const double distance =
                base + (m_state.prices[entry.column] - static_cast<double>(entry.value));
            if (distance >= m_distances[entry.column] || distance >= m_nearestFree) {
                continue;
            }
            if (m_distances[entry.column] == kInfinity) {
                m_touched.push_back(entry.column);
            }
            m_distances[entry.column] = distance;
            m_from[entry.column] = row;
            if (m_state.rowOf[entry.column] == kNone) {
                m_nearestFree = distance;
                m_freeColumn = entry.column;
            } else if (m_isReached[entry.column] == 0) {
                m_heap.push_back({distance, entry.column});
                std::push_heap(m_heap.begin(), m_heap.end(), kFarther);
            }
        }
    }

    void flip(std::uint32_t freeRow) {
        std::uint32_t column = m_freeColumn;
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

    void forget() {
        for (const std::uint32_t column : m_touched) {
            m_distances[column] = kInfinity;
            m_isReached[column] = 0;
        }
        m_touched.clear();
        m_reached.clear();
        m_heap.clear();
    }

    const Core& m_core;
    State& m_state;
    std::vector<double> m_distances;
    std::vector<std::uint32_t> m_from;
    std::vector<std::uint8_t> m_isReached;
    std::vector<Step> m_heap;
    std::vector<std::uint32_t> m_touched;
    std::vector<std::uint32_t> m_reached;
    double m_nearestFree = kInfinity;
    std::uint32_t m_freeColumn = kNone;
};

}  // namespace

void Core::add(std::vector<Addition>& additions) {
    const auto key = [](const Addition& a) { return std::tuple(a.row, a.entry.column); };
    std::sort(additions.begin(), additions.end(),
              [&](const Addition& a, const Addition& b) { return key(a) < key(b); });
    std::vector<Entry> merged;
    merged.reserve(m_entries.size() + additions.size());
    auto next = additions.begin();
    for (std::size_t i = 0; i + 1 < m_begin.size(); ++i) {
        const std::size_t begin = merged.size();
        std::size_t old = m_begin[i];
        const std::size_t oldEnd = m_begin[i + 1];
        m_begin[i] = begin;
        while (true) {
            const bool more = next != additions.end() && next->row == i;
            if (old == oldEnd && !more) {
                break;
            }
            const bool takeOld =
                old < oldEnd && (!more || m_entries[old].column <= next->entry.column);
            const Entry entry = takeOld ? m_entries[old++] : (next++)->entry;
            if (merged.size() == begin || merged.back().column != entry.column) {
                merged.push_back(entry);
            }
        }
    }
    m_begin.back() = merged.size();
    m_entries = std::move(merged);
}

void startSparse(const Core& core, State& state) {
    const std::size_t n = state.size();
    std::fill(state.prices.begin(), state.prices.end(), -kInfinity);
    std::vector<std::uint32_t> bidder(n, kNone);
    for (std::size_t i = 0; i < n; ++i) {
        for (const Core::Entry& entry : core.row(i)) {
            if (static_cast<double>(entry.value) > state.prices[entry.column]) {
                state.prices[entry.column] = static_cast<double>(entry.value);
                bidder[entry.column] = static_cast<std::uint32_t>(i);
            }
        }
    }
    for (std::size_t j = n; j-- > 0;) {
        if (state.columnOf[bidder[j]] == kNone) {
            state.match(bidder[j], static_cast<std::uint32_t>(j));
        }
    }
}

void finishSparse(const Core& core, State& state) {
    reduceRows(state, [&](std::uint32_t row) {
        TwoCheapest best;
        for (const Core::Entry& entry : core.row(row)) {
            best.offer(state.prices[entry.column] - static_cast<double>(entry.value), entry.column);
        }
        return best;
    });
    Paths paths(core, state);
    for (const std::uint32_t row : state.freeRows()) {
        paths.augment(row);
    }
}

}  // namespace moescope::numerics::assignment
