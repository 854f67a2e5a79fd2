// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/dtype.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope::checkpoint {

/// Elements that are NaN or infinite; 0 for integers.
[[nodiscard]] std::uint64_t countNonFinite(Dtype dtype, std::span<const std::byte> bytes);

}  // namespace moescope::checkpoint
