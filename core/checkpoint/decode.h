// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/dtype.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope::checkpoint {

/// Instruction sets the decode loops are compiled for. The best one of the machine is chosen at
/// run time; tests ask for each.
enum class SimdLevel { Portable, Avx2, Avx512 };
[[nodiscard]] SimdLevel bestSimdLevel() noexcept;

/// Decodes elements of any dtype to float32, of quantised types whole blocks; `from` need not be
/// aligned. float64 and integers are
/// rounded to nearest; NaN stays NaN. Throws Error(BadShape) when the sizes do not match.
void decodeToFloat(Dtype dtype, std::span<const std::byte> from, std::span<float> to,
                   SimdLevel level = bestSimdLevel());

/// The same to bfloat16 (its bit pattern), rounding to nearest even; bfloat16 is copied unchanged.
/// float64 and integers pass through float32.
void decodeToBfloat16(Dtype dtype, std::span<const std::byte> from, std::span<std::uint16_t> to,
                      SimdLevel level = bestSimdLevel());

/// float32 to bfloat16 with round-to-nearest-even; a NaN stays a (quiet) NaN.
[[nodiscard]] std::uint16_t toBfloat16(float value) noexcept;

}  // namespace moescope::checkpoint
