// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/effort.h"

#include <cstdint>

namespace moescope::experiments {

/// The work of the products of all pairs of rows, each pair once.
[[nodiscard]] inline engine::Effort gramEffort(std::uint64_t rows, std::uint64_t columns) {
    const auto values = static_cast<double>(rows) * static_cast<double>(columns);
    return {.operations = values * static_cast<double>(rows + 1), .elements = values};
}

}  // namespace moescope::experiments
