// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

namespace moescope::numerics {

/// Float32 values in memory: row r begins at data + r * stride.
struct RowsView {
    const float* data = nullptr;
    std::size_t rows = 0, columns = 0, stride = 0;
};

}  // namespace moescope::numerics
