// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/decode_quantised.h"

#include "core/base/error.h"
#include "core/checkpoint/decode_element.h"
#include "core/checkpoint/decode_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace moescope::checkpoint {
namespace {

template <typename Out>
[[gnu::always_inline]] inline Out rounded(float value) {
    if constexpr (std::is_same_v<Out, float>) {
        return value;
    } else {
        return element::roundToBfloat16(value);
    }
}

template <typename Element, typename Out>
[[gnu::always_inline]] inline void scaledLoop(const std::byte* from, float scale, Out* to,
                                              std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = rounded<Out>(Element::toFloat(from + i * Element::kSize) * scale);
    }
}

/// Magnitude codes 2 to 7 are exponent and mantissa, 0 and 1 are 0 and 0.5; the bits of the former
/// lie where float32 has them, so no step passes through a subnormal number.
struct E2M1 {
    [[gnu::always_inline]] static float toFloat(std::uint32_t code) {
        const std::uint32_t magnitude = code & 7U;
        const std::uint32_t normal = (magnitude << 22U) + (126U << 23U);
        const std::uint32_t small = (magnitude & 1U) * std::bit_cast<std::uint32_t>(0.5F);
        const std::uint32_t value = magnitude < 2U ? small : normal;
        return std::bit_cast<float>(value | ((code & 8U) << 28U));
    }
};

struct Offset8 {
    [[gnu::always_inline]] static float toFloat(std::uint32_t code) {
        return static_cast<float>(static_cast<std::int32_t>(code) - 8);
    }
};

/// `pairs` whole bytes.
template <typename Code, typename Out>
[[gnu::always_inline]] inline void nibbleLoop(const std::byte* from, float scale, Out* to,
                                              std::size_t pairs) {
    for (std::size_t i = 0; i < pairs; ++i) {
        const auto byte = static_cast<std::uint32_t>(from[i]);
        to[2 * i] = rounded<Out>(Code::toFloat(byte & 15U) * scale);
        to[2 * i + 1] = rounded<Out>(Code::toFloat(byte >> 4U) * scale);
    }
}

// A loop is a type with a static function, so that one dispatcher serves all of them.
template <typename Element, typename Out>
struct Scaled {
    [[gnu::always_inline]] static void run(const std::byte* from, float scale, Out* to,
                                           std::size_t count) {
        scaledLoop<Element>(from, scale, to, count);
    }
};
template <typename Code, typename Out>
struct Nibbles {
    [[gnu::always_inline]] static void run(const std::byte* from, float scale, Out* to,
                                           std::size_t pairs) {
        nibbleLoop<Code>(from, scale, to, pairs);
    }
};

template <typename Loop, typename Out>
void runPortable(const std::byte* from, float scale, Out* to, std::size_t count) {
    Loop::run(from, scale, to, count);
}
template <typename Loop, typename Out>
MOESCOPE_TARGET_AVX2 void runAvx2(const std::byte* from, float scale, Out* to, std::size_t count) {
    Loop::run(from, scale, to, count);
}
template <typename Loop, typename Out>
MOESCOPE_TARGET_AVX512 void runAvx512(const std::byte* from, float scale, Out* to,
                                      std::size_t count) {
    Loop::run(from, scale, to, count);
}

template <typename Loop, typename Out>
void run(const std::byte* from, float scale, Out* to, std::size_t count, SimdLevel level) {
    switch (std::min(level, bestSimdLevel())) {
        case SimdLevel::Portable:
            return runPortable<Loop>(from, scale, to, count);
        case SimdLevel::Avx2:
            return runAvx2<Loop>(from, scale, to, count);
        case SimdLevel::Avx512:
            return runAvx512<Loop>(from, scale, to, count);
    }
}

template <typename Out>
void scaled(Dtype dtype, std::span<const std::byte> from, float scale, std::span<Out> to,
            SimdLevel level) {
    if (from.size() / sizeOf(dtype) != to.size()) {
        throw Error(ErrorCode::BadShape, fmt::format("Cannot decode {} bytes of {} into {} values.",
                                                     from.size(), name(dtype), to.size()));
    }
    using namespace element;
    switch (dtype) {
        case Dtype::F8_E4M3:
            return run<Scaled<Float8E4M3, Out>>(from.data(), scale, to.data(), to.size(), level);
        case Dtype::F8_E5M2:
            return run<Scaled<Float8E5M2, Out>>(from.data(), scale, to.data(), to.size(), level);
        case Dtype::I8:
            return run<Scaled<Native<std::int8_t>, Out>>(from.data(), scale, to.data(), to.size(),
                                                         level);
        case Dtype::U8:
            return run<Scaled<Native<std::uint8_t>, Out>>(from.data(), scale, to.data(), to.size(),
                                                          level);
        default:
            throw Error(
                ErrorCode::Unsupported,
                fmt::format("Values stored as {} with scales are not supported.", name(dtype)));
    }
}

template <typename Code, typename Out>
void nibbles(std::span<const std::byte> from, std::uint64_t first, float scale, std::span<Out> to,
             SimdLevel level) {
    const auto one = [&](std::uint64_t index) {
        const auto byte = static_cast<std::uint32_t>(from[index / 2]);
        return rounded<Out>(Code::toFloat(index % 2 == 0 ? byte & 15U : byte >> 4U) * scale);
    };
    if (!to.empty() && first % 2 == 1) {
        to.front() = one(first++);
        to = to.subspan(1);
    }
    const std::size_t pairs = to.size() / 2;
    run<Nibbles<Code, Out>>(from.data() + first / 2, scale, to.data(), pairs, level);
    if (to.size() % 2 == 1) {
        to.back() = one(first + 2 * pairs);
    }
}

template <typename Out>
void nibbles(Nibble kind, std::span<const std::byte> from, std::uint64_t first, float scale,
             std::span<Out> to, SimdLevel level) {
    if (to.size() > 2 * from.size() || first > 2 * from.size() - to.size()) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("Cannot decode {} four-bit values from {} on in {} bytes.",
                                to.size(), first, from.size()));
    }
    if (kind == Nibble::E2M1) {
        nibbles<E2M1>(from, first, scale, to, level);
    } else {
        nibbles<Offset8>(from, first, scale, to, level);
    }
}

}  // namespace

void decodeScaled(Dtype dtype, std::span<const std::byte> from, float scale, std::span<float> to,
                  SimdLevel level) {
    scaled(dtype, from, scale, to, level);
}

void decodeScaled(Dtype dtype, std::span<const std::byte> from, float scale,
                  std::span<std::uint16_t> to, SimdLevel level) {
    scaled(dtype, from, scale, to, level);
}

void decodeNibbles(Nibble kind, std::span<const std::byte> from, std::uint64_t first, float scale,
                   std::span<float> to, SimdLevel level) {
    nibbles(kind, from, first, scale, to, level);
}

void decodeNibbles(Nibble kind, std::span<const std::byte> from, std::uint64_t first, float scale,
                   std::span<std::uint16_t> to, SimdLevel level) {
    nibbles(kind, from, first, scale, to, level);
}

float powerOfTwoScale(std::byte code) noexcept {
    constexpr std::uint32_t kNan = 255;
    constexpr std::uint32_t kSmallest = 0x00400000U;  // 2^-127, which is subnormal
    const auto exponent = std::to_integer<std::uint32_t>(code);
    if (exponent == kNan) {
        return std::numeric_limits<float>::quiet_NaN();
    }
    return std::bit_cast<float>(exponent == 0 ? kSmallest : exponent << 23U);
}

}  // namespace moescope::checkpoint
