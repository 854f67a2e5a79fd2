// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/sums.h"

#include "tests/support/catch.h"

#include <vector>

using namespace moescope::numerics;

TEST_CASE("addRows, addColumns: sums in float64, added to what is there", "[core][numerics]") {
    constexpr std::size_t kRows = 7;
    for (const std::size_t columns : {1, 16, 37, 1100}) {
        const std::size_t stride = columns + 5;
        std::vector<float> values(kRows * stride, 1e30F);  // the gap would be seen
        std::vector<double> byColumn(columns, 1.0);
        std::vector<double> byRow(kRows, -2.0);
        for (std::size_t r = 0; r < kRows; ++r) {
            for (std::size_t k = 0; k < columns; ++k) {
                // Lost in float32 beside the large ones.
                const double value = k % 3 == 0 ? 16777216.0 : static_cast<double>(r + k) / 64.0;
                values[r * stride + k] = static_cast<float>(value);
                byColumn[k] += value;
                byRow[r] += value;
            }
        }
        const RowsView x{values.data(), kRows, columns, stride};
        std::vector<double> rowSums(kRows, -2.0);
        std::vector<double> columnSums(columns, 1.0);
        addRows(x, columnSums);
        addColumns(x, rowSums);
        CHECK(columnSums == byColumn);
        CHECK(rowSums == byRow);
    }
}
