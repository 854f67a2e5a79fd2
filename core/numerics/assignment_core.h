// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/assignment_state.h"

#include <span>
#include <utility>

/// Internal to the assignment solver.
namespace moescope::numerics::assignment {

/// Some entries of each row of the matrix.
class Core {
public:
    explicit Core(std::size_t n) : m_begin(n + 1, 0) {}

    struct Entry {
        std::uint32_t column;
        float value;
    };
    /// An entry to be added.
    struct Addition {
        std::uint32_t row;
        Entry entry;
    };

    /// Sorts `additions` and takes those in that are not there yet.
    void add(std::vector<Addition>& additions);
    [[nodiscard]] std::span<const Entry> row(std::size_t row) const {
        return {m_entries.data() + m_begin[row], m_begin[row + 1] - m_begin[row]};
    }
    [[nodiscard]] std::size_t entryCount() const { return m_entries.size(); }

private:
    std::vector<std::size_t> m_begin;  // [n + 1]
    std::vector<Entry> m_entries;      // by row, then column
};

/// First prices and partial matching, as startDense().
void startSparse(const Core& core, State& state);

/// Matches every free row, on entries of the core alone; it must hold a perfect matching.
void finishSparse(const Core& core, State& state);

}  // namespace moescope::numerics::assignment
