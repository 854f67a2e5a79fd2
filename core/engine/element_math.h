// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstdint>

/// Arithmetic on single numbers that a compiler turns into vectors within a loop. Always inlined:
/// compiled for the instruction set of the function that holds the loop. Internal to the engine.
namespace moescope::engine {

using Bfloat16Bits = std::uint16_t;

[[gnu::always_inline]] inline float widen(Bfloat16Bits bits) {
    return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

[[gnu::always_inline]] inline Bfloat16Bits narrow(float value) {
    constexpr std::uint32_t kMagnitude = 0x7FFFFFFFU;
    constexpr std::uint32_t kInfinity = 0x7F800000U;
    constexpr std::uint32_t kNaN = 0x7FC0U;
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    return static_cast<Bfloat16Bits>((bits & kMagnitude) > kInfinity ? kNaN : rounded);
}

/// exp(x) to two units in the last place, the polynomial of Cephes' expf (Moshier, 1989). NaN
/// stays.
[[gnu::always_inline]] inline float exponential(float x) {
    constexpr float kLowest = -87.3F;
    constexpr float kHighest = 88.3F;
    constexpr float kBias = 127.0F;
    /// Added to a small number, leaves it rounded to an integer in the lowest bits.
    constexpr float kRounder = 12582912.0F + kBias;
    const float above = x < kLowest ? kLowest : x;
    const float clamped = above > kHighest ? kHighest : above;
    const float shifted = clamped * 1.44269504F + kRounder;
    const float power = shifted - kRounder;
    const float rest = (clamped - power * 0.693359375F) + power * 2.12194440e-4F;
    float sum = 1.9875691500e-4F;
    sum = sum * rest + 1.3981999507e-3F;
    sum = sum * rest + 8.3334519073e-3F;
    sum = sum * rest + 4.1665795894e-2F;
    sum = sum * rest + 1.6666665459e-1F;
    sum = sum * rest + 5.0000001201e-1F;
    sum = sum * rest * rest + rest + 1.0F;
    return sum * std::bit_cast<float>(std::bit_cast<std::uint32_t>(shifted) << 23U);
}

}  // namespace moescope::engine
