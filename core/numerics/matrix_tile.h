// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/numerics/gram_block.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

/// Some elements of several matrices in a buffer that stays in the cache, and what is done to them
/// there. Internal to matrix_sums.cpp; inlined into functions compiled for each instruction set.
namespace moescope::numerics {

/// A buffer's rows are whole groups of so many elements long, whatever the instruction set.
constexpr std::size_t kTileGroup = 64;

/// Each of `rows` rows: one matrix's elements. Beyond `width` they are 0.
template <typename Scalar>
struct TileRows {
    Scalar* data;
    std::size_t stride, width, rows;
    [[nodiscard]] Scalar* row(std::size_t r) const { return data + r * stride; }
};

[[gnu::always_inline]] inline float tileValue(float value) {
    return value;
}
[[gnu::always_inline]] inline float tileValue(std::uint16_t bfloat16) {
    return std::bit_cast<float>(std::uint32_t{bfloat16} << 16U);
}

[[gnu::always_inline]] inline void packValue(float value, float& to) {
    to = value;
}
[[gnu::always_inline]] inline void packValue(std::uint16_t value, float& to) {
    to = tileValue(value);
}
[[gnu::always_inline]] inline void packValue(std::uint16_t value, std::uint16_t& to) {
    to = value;
}

[[gnu::always_inline]] inline unsigned nonFiniteBit(float value) {
    constexpr std::uint32_t kExponent = 0x7F800000U;
    return (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
}
[[gnu::always_inline]] inline unsigned nonFiniteBit(std::uint16_t bfloat16) {
    constexpr std::uint16_t kExponent = 0x7F80U;
    return (bfloat16 & kExponent) == kExponent ? 1U : 0U;
}

/// Copies `count` elements; whether one of them is NaN or infinite.
template <typename In, typename Packed>
[[gnu::always_inline]] inline bool pack(const In* from, std::size_t count, Packed* to) {
    unsigned found = 0;
    for (std::size_t k = 0; k < count; ++k) {
        packValue(from[k], to[k]);
        found |= nonFiniteBit(from[k]);
    }
    return found != 0;
}

enum class TileCentring { Reference, Mean, Standardised };

/// y = the first y.rows rows of x after centring, a few columns at a time, which then stay in the
/// first-level cache. Around `pivot`, a row of x: what is left of nearly equal rows is exact.
template <typename Packed>
[[gnu::always_inline]] inline void centreRows(const TileRows<Packed>& x, std::size_t pivot,
                                              TileCentring how, const TileRows<float>& y) {
    const auto count = static_cast<float>(y.rows);
    const float degrees = y.rows > 1 ? count - 1.0F : 1.0F;
    for (std::size_t k = 0; k < x.width; k += kTileGroup) {
        float base[kTileGroup];
        float mean[kTileGroup] = {};
        float scale[kTileGroup] = {};
        for (std::size_t i = 0; i < kTileGroup; ++i) {
            base[i] = tileValue(x.row(pivot)[k + i]);
        }
        for (std::size_t r = 0; r < y.rows; ++r) {
            const Packed* const from = x.row(r) + k;
            float* const to = y.row(r) + k;
            for (std::size_t i = 0; i < kTileGroup; ++i) {
                const float difference = tileValue(from[i]) - base[i];
                to[i] = difference;
                mean[i] += difference;
            }
        }
        if (how == TileCentring::Reference) {
            continue;
        }
        for (float& one : mean) {
            one /= count;
        }
        if (how == TileCentring::Standardised) {
            for (std::size_t r = 0; r < y.rows; ++r) {
                const float* const row = y.row(r) + k;
                for (std::size_t i = 0; i < kTileGroup; ++i) {
                    const float centred = row[i] - mean[i];
                    scale[i] += centred * centred;
                }
            }
            for (float& one : scale) {
                const float deviation = std::sqrt(one / degrees);
                one = deviation == 0.0F ? 0.0F : 1.0F / deviation;
            }
        } else {
            for (float& one : scale) {
                one = 1.0F;
            }
        }
        for (std::size_t r = 0; r < y.rows; ++r) {
            float* const row = y.row(r) + k;
            for (std::size_t i = 0; i < kTileGroup; ++i) {
                row[i] = (row[i] - mean[i]) * scale[i];
            }
        }
    }
}

/// Sums of a few values: float32 takes those of bfloat16, whose eight digits leave room, without
/// loss that counts.
template <typename Packed>
using ShortSum = std::conditional_t<std::is_same_v<Packed, float>, double, float>;

template <typename Packed>
[[gnu::always_inline]] inline void addPair(const Packed* a, const Packed* b, std::size_t count,
                                           double* sums) {
    using Sum = ShortSum<Packed>;
    for (std::size_t k = 0; k < count; ++k) {
        sums[k] += static_cast<double>(static_cast<Sum>(tileValue(a[k])) +
                                       static_cast<Sum>(tileValue(b[k])));
    }
}

/// sums [columns] += `rows` rows of `columns` elements, one after the other.
template <typename Packed>
[[gnu::always_inline]] inline void addTileRows(const Packed* x, std::size_t rows,
                                               std::size_t columns, double* sums) {
    std::size_t r = 0;
    for (; r + 1 < rows; r += 2) {
        addPair(x + r * columns, x + (r + 1) * columns, columns, sums);
    }
    for (std::size_t k = 0; r < rows && k < columns; ++k) {
        sums[k] += static_cast<double>(tileValue(x[r * columns + k]));
    }
}

/// The sum of a row: short sums side by side, float64 from there on.
template <typename Packed>
[[gnu::always_inline]] inline double rowSum(const Packed* x, std::size_t count) {
    using Sum = ShortSum<Packed>;
    constexpr std::size_t kLanes = 32;
    constexpr std::size_t kChunk = 8 * kLanes;
    double sum = 0.0;
    for (std::size_t first = 0; first < count; first += kChunk) {
        const std::size_t end = std::min(first + kChunk, count);
        Sum lanes[kLanes] = {};
        std::size_t k = first;
        for (; k + kLanes <= end; k += kLanes) {
            for (std::size_t i = 0; i < kLanes; ++i) {
                lanes[i] += static_cast<Sum>(tileValue(x[k + i]));
            }
        }
        for (; k < end; ++k) {
            sum += static_cast<double>(tileValue(x[k]));
        }
        for (const Sum lane : lanes) {
            sum += static_cast<double>(lane);
        }
    }
    return sum;
}

}  // namespace moescope::numerics
