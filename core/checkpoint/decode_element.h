// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// One element of a stored dtype as float32, written without branches so that a compiler turns a
/// loop over them into vector code. Used by decode.cpp alone.
namespace moescope::checkpoint::element {

template <typename T>
[[nodiscard, gnu::always_inline]] inline T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

/// Types that C++ converts itself: float, double and the integers.
template <typename T>
struct Native {
    static constexpr std::size_t kSize = sizeof(T);
    [[gnu::always_inline]] static float toFloat(const std::byte* from) {
        return static_cast<float>(load<T>(from));
    }
};

struct Bool {
    static constexpr std::size_t kSize = 1;
    [[gnu::always_inline]] static float toFloat(const std::byte* from) {
        return load<std::uint8_t>(from) != 0 ? 1.0F : 0.0F;
    }
};

/// bfloat16 is the upper half of a float32.
struct BFloat16 {
    static constexpr std::size_t kSize = 2;
    [[gnu::always_inline]] static float toFloat(const std::byte* from) {
        return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(from)} << 16U);
    }
};

/// A small float with `ExponentBits` and `MantissaBits`, an IEEE-like bias, subnormals, and
/// infinities (binary16, E5M2). Its magnitude bits, moved to float32's place, are the value times
/// 2^(bias - 127); one exact multiplication corrects that, for subnormals too.
template <typename Bits, unsigned ExponentBits, unsigned MantissaBits>
struct SmallFloat {
    static constexpr std::size_t kSize = sizeof(Bits);
    [[gnu::always_inline]] static float toFloat(const std::byte* from) {
        constexpr unsigned kTotal = ExponentBits + MantissaBits;
        constexpr std::uint32_t kMagnitude = (1U << kTotal) - 1U;
        constexpr std::uint32_t kInfinity = ((1U << ExponentBits) - 1U) << MantissaBits;
        constexpr unsigned kBias = (1U << (ExponentBits - 1U)) - 1U;
        const std::uint32_t bits = load<Bits>(from);
        const std::uint32_t magnitude = bits & kMagnitude;
        const std::uint32_t sign = (bits >> kTotal) << 31U;
        const std::uint32_t moved = magnitude << (23U - MantissaBits);
        const auto correction = std::bit_cast<float>((254U - kBias) << 23U);
        const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(moved) * correction);
        const std::uint32_t special = 0x7F800000U | moved;
        return std::bit_cast<float>((magnitude >= kInfinity ? special : finite) | sign);
    }
};
using Float16 = SmallFloat<std::uint16_t, 5, 10>;
using Float8E5M2 = SmallFloat<std::uint8_t, 5, 2>;

/// E4M3 as machine learning stores it ("FN"): no infinities, only magnitude 0x7F is NaN, so 448 is
/// the largest value.
struct Float8E4M3 {
    static constexpr std::size_t kSize = 1;
    [[gnu::always_inline]] static float toFloat(const std::byte* from) {
        const std::uint32_t bits = load<std::uint8_t>(from);
        const std::uint32_t magnitude = bits & 0x7FU;
        const auto correction = std::bit_cast<float>((254U - 7U) << 23U);
        const auto finite =
            std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 20U) * correction);
        const std::uint32_t value = magnitude == 0x7FU ? 0x7FC00000U : finite;
        return std::bit_cast<float>(value | ((bits >> 7U) << 31U));
    }
};

/// Round to nearest even; NaN keeps its upper bits with the quiet bit set.
[[nodiscard, gnu::always_inline]] inline std::uint16_t roundToBfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    const std::uint32_t nan = (bits >> 16U) | 0x40U;
    return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : rounded);
}

}  // namespace moescope::checkpoint::element
