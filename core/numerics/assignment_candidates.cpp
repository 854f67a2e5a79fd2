// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/assignment_candidates.h"

#include "core/numerics/assignment_scan.h"

#include <algorithm>
#include <array>

namespace moescope::numerics::assignment {
namespace {

constexpr std::size_t kBestOfRow = 12;
constexpr std::size_t kBestOfColumn = 6;
/// Entries looked at before the bound of what is still good enough is taken anew.
constexpr std::size_t kStretch = 512;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

class Candidates {
public:
    Candidates(std::span<const float> values, std::size_t n)
        : m_values(values),
          m_n(n),
          m_zeros(n, 0.0F),
          m_columnValues(kBestOfColumn * n, kLowest),
          m_columnRows(kBestOfColumn * n, kNone),
          m_marks(scan::maskWords(n)) {
        m_found.reserve((kBestOfRow + kBestOfColumn + 1) * n);
    }

    std::vector<Core::Addition> find() {
        for (std::size_t i = 0; i < m_n; ++i) {
            const float* row = m_values.data() + i * m_n;
            m_rowValues.fill(kLowest);
            // From the diagonal on and around, so that rows of equal values do not all choose the
            // same columns.
            bestOfRow(row, i, m_n);
            bestOfRow(row, 0, i);
            add(i, i, row[i]);
            for (const std::uint32_t j : m_rowColumns) {
                add(i, j, row[j]);
            }
            bestOfColumns(row, static_cast<std::uint32_t>(i));
        }
        for (std::size_t at = 0; at < m_columnRows.size(); ++at) {
            add(m_columnRows[at], at % m_n, m_columnValues[at]);
        }
        return std::move(m_found);
    }

private:
    void add(std::size_t row, std::size_t column, float value) {
        m_found.push_back(
            {static_cast<std::uint32_t>(row), {static_cast<std::uint32_t>(column), value}});
    }

    void bestOfRow(const float* row, std::size_t begin, std::size_t end) {
        for (std::size_t at = begin; at < end; at += kStretch) {
            const std::size_t size = std::min(kStretch, end - at);
            scan::markAbove(row + at, m_zeros.data(), size, m_rowValues.back(), m_marks.data());
            scan::forEachMarked(m_marks.data(), size, [&](std::size_t mark) {
                const std::size_t j = at + mark;
                if (row[j] <= m_rowValues.back()) {
                    return;  // the bound rose meanwhile
                }
                std::size_t rank = kBestOfRow - 1;
                for (; rank > 0 && m_rowValues[rank - 1] < row[j]; --rank) {
                    m_rowValues[rank] = m_rowValues[rank - 1];
                    m_rowColumns[rank] = m_rowColumns[rank - 1];
                }
                m_rowValues[rank] = row[j];
                m_rowColumns[rank] = static_cast<std::uint32_t>(j);
            });
        }
    }

    void bestOfColumns(const float* row, std::uint32_t i) {
        const float* last = m_columnValues.data() + (kBestOfColumn - 1) * m_n;
        scan::markAbove(row, last, m_n, 0.0F, m_marks.data());
        scan::forEachMarked(m_marks.data(), m_n, [&](std::size_t j) {
            std::size_t rank = kBestOfColumn - 1;
            for (; rank > 0 && m_columnValues[(rank - 1) * m_n + j] < row[j]; --rank) {
                m_columnValues[rank * m_n + j] = m_columnValues[(rank - 1) * m_n + j];
                m_columnRows[rank * m_n + j] = m_columnRows[(rank - 1) * m_n + j];
            }
            m_columnValues[rank * m_n + j] = row[j];
            m_columnRows[rank * m_n + j] = i;
        });
    }

    std::span<const float> m_values;
    std::size_t m_n;
    std::vector<float> m_zeros;
    // Of the current row, largest first.
    std::array<float, kBestOfRow> m_rowValues{};
    std::array<std::uint32_t, kBestOfRow> m_rowColumns{};
    // Of all columns, one array per rank, so that the bounds of all columns lie side by side.
    std::vector<float> m_columnValues;
    std::vector<std::uint32_t> m_columnRows;
    std::vector<scan::Mask> m_marks;
    std::vector<Core::Addition> m_found;
};

}  // namespace

Core firstCore(std::span<const float> values, std::size_t n) {
    Core core(n);
    std::vector<Core::Addition> additions = Candidates(values, n).find();
    core.add(additions);
    return core;
}

}  // namespace moescope::numerics::assignment
