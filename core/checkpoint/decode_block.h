// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/decode_element.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

/// One block of each of GGUF's quantised types as float32: 32 or 256 values behind a common scale,
/// in the operations and their order that the format defines (ggml-quants.c, dequantize_row_*).
/// Loops of fixed length without branches, for the compiler to turn into vector code. Used by
/// decode.cpp alone.
namespace moescope::checkpoint::block {

using Bytes = const std::byte*;

[[nodiscard, gnu::always_inline]] inline float half(Bytes at) {
    return element::Float16::toFloat(at);
}
[[nodiscard, gnu::always_inline]] inline std::uint8_t byte(Bytes at) {
    return std::to_integer<std::uint8_t>(*at);
}
[[nodiscard, gnu::always_inline]] inline int low(Bytes at) {
    return byte(at) & 0x0F;
}
[[nodiscard, gnu::always_inline]] inline int high(Bytes at) {
    return byte(at) >> 4;
}

constexpr std::size_t kSmall = 32;   ///< values in a block of the older types
constexpr std::size_t kSuper = 256;  ///< values in a block of the K types

/// Scale, 32 signed bytes.
struct Q8_0 {
    static constexpr std::size_t kElements = kSmall, kBytes = 34;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        for (std::size_t i = 0; i < kSmall; ++i) {
            to[i] = static_cast<float>(static_cast<std::int8_t>(byte(from + 2 + i))) * d;
        }
    }
};

/// Scale, 16 bytes of two values: low halves first.
struct Q4_0 {
    static constexpr std::size_t kElements = kSmall, kBytes = 18;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * static_cast<float>(low(from + 2 + i) - 8);
            to[i + kSmall / 2] = d * static_cast<float>(high(from + 2 + i) - 8);
        }
    }
};

/// Scale, least value, 16 bytes of two values.
struct Q4_1 {
    static constexpr std::size_t kElements = kSmall, kBytes = 20;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        const float m = half(from + 2);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * static_cast<float>(low(from + 4 + i)) + m;
            to[i + kSmall / 2] = d * static_cast<float>(high(from + 4 + i)) + m;
        }
    }
};

/// The fifth bit of value `i` in the place of its own.
[[nodiscard, gnu::always_inline]] inline int fifth(std::uint32_t bits, std::size_t i) {
    return static_cast<int>(((bits >> i) & 1U) << 4U);
}

/// Scale, 32 fifth bits, 16 bytes of two values.
struct Q5_0 {
    static constexpr std::size_t kElements = kSmall, kBytes = 22;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        const auto bits = element::load<std::uint32_t>(from + 2);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * static_cast<float>((low(from + 6 + i) | fifth(bits, i)) - 16);
            to[i + kSmall / 2] =
                d * static_cast<float>((high(from + 6 + i) | fifth(bits, i + 16)) - 16);
        }
    }
};

/// Scale, least value, 32 fifth bits, 16 bytes of two values.
struct Q5_1 {
    static constexpr std::size_t kElements = kSmall, kBytes = 24;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        const float m = half(from + 2);
        const auto bits = element::load<std::uint32_t>(from + 4);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * static_cast<float>(low(from + 8 + i) | fifth(bits, i)) + m;
            to[i + kSmall / 2] =
                d * static_cast<float>(high(from + 8 + i) | fifth(bits, i + 16)) + m;
        }
    }
};

/// 16 bytes of a scale and a minimum in four bits each, 64 bytes of four values, scales of both.
struct Q2_K {
    static constexpr std::size_t kElements = kSuper, kBytes = 84;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from + 80);
        const float least = half(from + 82);
        for (std::size_t group = 0; group < 16; ++group) {
            const float dl = d * static_cast<float>(low(from + group));
            const float ml = least * static_cast<float>(high(from + group));
            const auto shift = static_cast<unsigned>(2 * ((group / 2) % 4));
            const Bytes values = from + 16 + 32 * (group / 8) + 16 * (group % 2);
            for (std::size_t i = 0; i < 16; ++i) {
                const int q = (byte(values + i) >> shift) & 3;
                to[16 * group + i] = dl * static_cast<float>(q) - ml;
            }
        }
    }
};

/// 32 bytes of high bits, 64 of two low bits, 16 scales of six bits, their scale.
struct Q3_K {
    static constexpr std::size_t kElements = kSuper, kBytes = 110;
    [[gnu::always_inline]] static int scale(Bytes packed, std::size_t group) {
        const int lower = group < 8 ? low(packed + group) : high(packed + group - 8);
        const int upper = (byte(packed + 8 + group % 4) >> (2 * (group / 4))) & 3;
        return (lower | (upper << 4)) - 32;
    }
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from + 108);
        for (std::size_t group = 0; group < 16; ++group) {
            const float dl = d * static_cast<float>(scale(from + 96, group));
            const auto shift = static_cast<unsigned>(2 * ((group / 2) % 4));
            const auto bit = static_cast<unsigned>(group / 2);
            const Bytes highBits = from + 16 * (group % 2);
            const Bytes values = from + 32 + 32 * (group / 8) + 16 * (group % 2);
            for (std::size_t i = 0; i < 16; ++i) {
                const int missing = (((byte(highBits + i) >> bit) & 1) ^ 1) << 2;
                const int q = ((byte(values + i) >> shift) & 3) - missing;
                to[16 * group + i] = dl * static_cast<float>(q);
            }
        }
    }
};

/// Eight scales and eight minima of six bits in twelve bytes (Q4_K, Q5_K).
[[nodiscard, gnu::always_inline]] inline int sixBitScale(Bytes packed, std::size_t group) {
    return group < 4 ? byte(packed + group) & 0x3F
                     : low(packed + 4 + group) | ((byte(packed + group - 4) >> 2) & 0x30);
}
[[nodiscard, gnu::always_inline]] inline int sixBitMinimum(Bytes packed, std::size_t group) {
    return group < 4 ? byte(packed + 4 + group) & 0x3F
                     : high(packed + 4 + group) | ((byte(packed + group) >> 2) & 0x30);
}

/// Scales of scales and minima, twelve bytes of them, with `FifthBits` 32 bytes of upper bits, 128
/// bytes of two values.
template <bool FifthBits>
struct SixBitScaled {
    static constexpr std::size_t kElements = kSuper, kUpper = 16;
    static constexpr std::size_t kValues = kUpper + (FifthBits ? 32 : 0), kBytes = kValues + 128;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        const float least = half(from + 2);
        for (std::size_t group = 0; group < 8; ++group) {
            const float dl = d * static_cast<float>(sixBitScale(from + 4, group));
            const float ml = least * static_cast<float>(sixBitMinimum(from + 4, group));
            const auto shift = static_cast<unsigned>(4 * (group % 2));
            const auto bit = static_cast<unsigned>(group);
            const Bytes values = from + kValues + 32 * (group / 2);
            for (std::size_t i = 0; i < 32; ++i) {
                const int upper = FifthBits ? ((byte(from + kUpper + i) >> bit) & 1) << 4 : 0;
                const int q = ((byte(values + i) >> shift) & 0x0F) | upper;
                to[32 * group + i] = dl * static_cast<float>(q) - ml;
            }
        }
    }
};
using Q4_K = SixBitScaled<false>;
using Q5_K = SixBitScaled<true>;

/// 128 bytes of two low halves, 64 of four upper bits, 16 signed scales, their scale.
struct Q6_K {
    static constexpr std::size_t kElements = kSuper, kBytes = 210;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from + 208);
        for (std::size_t group = 0; group < 16; ++group) {
            const auto scale = static_cast<std::int8_t>(byte(from + 192 + group));
            const float dl = d * static_cast<float>(scale);
            // 128 values share 64 low bytes and 32 upper bytes; they lie 32 by 32.
            const std::size_t part = group / 8;
            const std::size_t run = (group % 8) / 2;
            const std::size_t begin = 16 * (group % 2);
            const auto lowShift = static_cast<unsigned>(4 * (run / 2));
            const auto highShift = static_cast<unsigned>(2 * run);
            const Bytes lower = from + 64 * part + 32 * (run % 2) + begin;
            const Bytes upper = from + 128 + 32 * part + begin;
            for (std::size_t i = 0; i < 16; ++i) {
                const int q = ((byte(lower + i) >> lowShift) & 0x0F) |
                              (((byte(upper + i) >> highShift) & 3) << 4);
                to[16 * group + i] = dl * static_cast<float>(q - 32);
            }
        }
    }
};

/// The uneven steps of the IQ4 types.
inline constexpr std::array<float, 16> kUneven{-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

/// Scale, 16 bytes of two numbers of a step.
struct IQ4_NL {
    static constexpr std::size_t kElements = kSmall, kBytes = 18;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * kUneven[static_cast<std::size_t>(low(from + 2 + i))];
            to[i + kSmall / 2] = d * kUneven[static_cast<std::size_t>(high(from + 2 + i))];
        }
    }
};

/// Scale, eight scales of six bits (two upper bits each in 16 bits, then the lower), 128 bytes of
/// two numbers of a step.
struct IQ4_XS {
    static constexpr std::size_t kElements = kSuper, kBytes = 136;
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const float d = half(from);
        const auto upper = element::load<std::uint16_t>(from + 2);
        for (std::size_t group = 0; group < 8; ++group) {
            const int lower = (byte(from + 4 + group / 2) >> (4 * (group % 2))) & 0x0F;
            const int scale = (lower | (((upper >> (2 * group)) & 3) << 4)) - 32;
            const float dl = d * static_cast<float>(scale);
            const Bytes values = from + 8 + 16 * group;
            for (std::size_t i = 0; i < 16; ++i) {
                to[32 * group + i] = dl * kUneven[static_cast<std::size_t>(low(values + i))];
                to[32 * group + 16 + i] = dl * kUneven[static_cast<std::size_t>(high(values + i))];
            }
        }
    }
};

/// A power of two (OCP Microscaling E8M0), 16 bytes of two E2M1 values.
struct MXFP4 {
    static constexpr std::size_t kElements = kSmall, kBytes = 17;
    /// Twice the values, so that all are integers; the scale is halved.
    static constexpr std::array<float, 16> kTwice{0, 1,  2,  3,  4,  6,  8,  12,
                                                  0, -1, -2, -3, -4, -6, -8, -12};
    [[gnu::always_inline]] static void decode(Bytes from, float* to) {
        const std::uint32_t exponent = byte(from);
        const std::uint32_t bits = exponent < 2 ? 0x00200000U << exponent : (exponent - 1U) << 23U;
        const auto d = std::bit_cast<float>(bits);
        for (std::size_t i = 0; i < kSmall / 2; ++i) {
            to[i] = d * kTwice[static_cast<std::size_t>(low(from + 1 + i))];
            to[i + kSmall / 2] = d * kTwice[static_cast<std::size_t>(high(from + 1 + i))];
        }
    }
};

}  // namespace moescope::checkpoint::block
