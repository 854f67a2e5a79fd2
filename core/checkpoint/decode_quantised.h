// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/decode.h"

#include <span>

/// Decoding of values that share a scale. Each call takes values of one scale; products are rounded
/// to float32, then, where asked for, to bfloat16.
namespace moescope::checkpoint {

/// Elements of a stored dtype times a scale: FP8 with a scale per tile, row or tensor; int8.
void decodeScaled(Dtype dtype, std::span<const std::byte> from, float scale, std::span<float> to,
                  SimdLevel level = bestSimdLevel());
void decodeScaled(Dtype dtype, std::span<const std::byte> from, float scale,
                  std::span<std::uint16_t> to, SimdLevel level = bestSimdLevel());

/// Four-bit codes, two a byte, the lower half first. `first` counts codes from the start of `from`.
enum class Nibble {
    E2M1,    ///< MXFP4: 0, 0.5, 1, 1.5, 2, 3, 4, 6, and with bit 3 their negatives
    Offset8  ///< an integer: code - 8
};
void decodeNibbles(Nibble kind, std::span<const std::byte> from, std::uint64_t first, float scale,
                   std::span<float> to, SimdLevel level = bestSimdLevel());
void decodeNibbles(Nibble kind, std::span<const std::byte> from, std::uint64_t first, float scale,
                   std::span<std::uint16_t> to, SimdLevel level = bestSimdLevel());

/// A scale stored as a power of two, 2^(code - 127); 255 is NaN (OCP microscaling formats, E8M0).
[[nodiscard]] float powerOfTwoScale(std::byte code) noexcept;

}  // namespace moescope::checkpoint
