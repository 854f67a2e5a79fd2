// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/element_loops.h"

#include "core/base/instruction_sets.h"

#include <bit>
#include <cmath>

namespace moescope::engine {
namespace {

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

[[gnu::always_inline]] inline void siluTimesAll(Bfloat16Bits* gate, const Bfloat16Bits* up,
                                                std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float x = widen(gate[i]);
        const float activated = widen(narrow(x / (1.0F + exponential(-x))));
        gate[i] = narrow(activated * widen(up[i]));
    }
}

[[gnu::always_inline]] inline float normOfAll(const Bfloat16Bits* row, std::size_t count) {
    constexpr std::size_t kLanes = 32;  // independent sums stay in registers
    float sums[kLanes] = {};
    const std::size_t whole = count / kLanes * kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float value = widen(row[i + lane]);
            sums[lane] += value * value;
        }
    }
    double sum = 0.0;
    for (const float lane : sums) {
        sum += static_cast<double>(lane);
    }
    for (std::size_t i = whole; i < count; ++i) {
        const auto value = static_cast<double>(widen(row[i]));
        sum += value * value;
    }
    return static_cast<float>(std::sqrt(sum));
}

[[gnu::always_inline]] inline void addAll(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                          std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        sum[i] = narrow(widen(sum[i]) + widen(narrow(widen(row[i]) * weight)));
    }
}

/// One set of loops, compiled for an instruction set.
struct Loops {
    void (*silu)(Bfloat16Bits*, const Bfloat16Bits*, std::size_t);
    float (*norm)(const Bfloat16Bits*, std::size_t);
    void (*add)(Bfloat16Bits*, const Bfloat16Bits*, float, std::size_t);
};

constexpr Loops kPortable{
    [](Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) { siluTimesAll(gate, up, n); },
    [](const Bfloat16Bits* row, std::size_t n) { return normOfAll(row, n); },
    [](Bfloat16Bits* sum, const Bfloat16Bits* row, float weight, std::size_t n) {
        addAll(sum, row, weight, n);
    }};

MOESCOPE_TARGET_AVX2 void siluAvx2(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) {
    siluTimesAll(gate, up, n);
}
MOESCOPE_TARGET_AVX2 float normAvx2(const Bfloat16Bits* row, std::size_t n) {
    return normOfAll(row, n);
}
MOESCOPE_TARGET_AVX2 void addAvx2(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                  std::size_t n) {
    addAll(sum, row, weight, n);
}
MOESCOPE_TARGET_AVX512 void siluAvx512(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t n) {
    siluTimesAll(gate, up, n);
}
MOESCOPE_TARGET_AVX512 float normAvx512(const Bfloat16Bits* row, std::size_t n) {
    return normOfAll(row, n);
}
MOESCOPE_TARGET_AVX512 void addAvx512(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight,
                                      std::size_t n) {
    addAll(sum, row, weight, n);
}

const Loops& loops() {
    static const auto chosen = bestForm<Loops>(kPortable, {siluAvx2, normAvx2, addAvx2},
                                               {siluAvx512, normAvx512, addAvx512});
    return chosen;
}

}  // namespace

void siluTimes(Bfloat16Bits* gate, const Bfloat16Bits* up, std::size_t count) {
    loops().silu(gate, up, count);
}

float rowNorm(const Bfloat16Bits* row, std::size_t count) {
    return loops().norm(row, count);
}

void addWeightedRow(Bfloat16Bits* sum, const Bfloat16Bits* row, float weight, std::size_t count) {
    loops().add(sum, row, weight, count);
}

}  // namespace moescope::engine
