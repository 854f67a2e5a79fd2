// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/decode.h"

#include "core/base/error.h"
#include "core/checkpoint/decode_block.h"
#include "core/checkpoint/decode_element.h"
#include "core/checkpoint/decode_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace moescope::checkpoint {
namespace {

/// A type whose elements are quantised in blocks.
template <typename Element>
concept Block = Element::kElements >
1;

template <typename Element>
[[gnu::always_inline]] inline void floatLoop(const std::byte* from, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = Element::toFloat(from + i * Element::kSize);
    }
}

template <typename Element>
[[gnu::always_inline]] inline void bfloat16Loop(const std::byte* from, std::uint16_t* to,
                                                std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = element::roundToBfloat16(Element::toFloat(from + i * Element::kSize));
    }
}

template <Block Type>
[[gnu::always_inline]] inline void floatLoop(const std::byte* from, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count / Type::kElements; ++i) {
        Type::decode(from + i * Type::kBytes, to + i * Type::kElements);
    }
}

template <Block Type>
[[gnu::always_inline]] inline void bfloat16Loop(const std::byte* from, std::uint16_t* to,
                                                std::size_t count) {
    std::array<float, Type::kElements> values;
    for (std::size_t i = 0; i < count / Type::kElements; ++i) {
        Type::decode(from + i * Type::kBytes, values.data());
        std::uint16_t* const block = to + i * Type::kElements;
        for (std::size_t j = 0; j < Type::kElements; ++j) {
            block[j] = element::roundToBfloat16(values[j]);
        }
    }
}

template <typename Element, typename Out>
[[gnu::always_inline]] inline void loop(const std::byte* from, Out* to, std::size_t count) {
    if constexpr (std::is_same_v<Out, float>) {
        floatLoop<Element>(from, to, count);
    } else {
        bfloat16Loop<Element>(from, to, count);
    }
}

template <typename Element, typename Out>
void runPortable(const std::byte* from, Out* to, std::size_t count) {
    loop<Element>(from, to, count);
}

template <typename Element, typename Out>
MOESCOPE_TARGET_AVX2 void runAvx2(const std::byte* from, Out* to, std::size_t count) {
    loop<Element>(from, to, count);
}

template <typename Element, typename Out>
MOESCOPE_TARGET_AVX512 void runAvx512(const std::byte* from, Out* to, std::size_t count) {
    loop<Element>(from, to, count);
}

template <typename Element, typename Out>
void run(const std::byte* from, Out* to, std::size_t count, SimdLevel level) {
    switch (level) {
        case SimdLevel::Portable:
            return runPortable<Element>(from, to, count);
        case SimdLevel::Avx2:
            return runAvx2<Element>(from, to, count);
        case SimdLevel::Avx512:
            return runAvx512<Element>(from, to, count);
    }
}

template <typename Out>
void dispatchBlocks(Dtype dtype, const std::byte* from, Out* to, std::size_t count,
                    SimdLevel level) {
    switch (dtype) {
        case Dtype::Q8_0:
            return run<block::Q8_0>(from, to, count, level);
        case Dtype::Q4_0:
            return run<block::Q4_0>(from, to, count, level);
        case Dtype::Q4_1:
            return run<block::Q4_1>(from, to, count, level);
        case Dtype::Q5_0:
            return run<block::Q5_0>(from, to, count, level);
        case Dtype::Q5_1:
            return run<block::Q5_1>(from, to, count, level);
        case Dtype::Q2_K:
            return run<block::Q2_K>(from, to, count, level);
        case Dtype::Q3_K:
            return run<block::Q3_K>(from, to, count, level);
        case Dtype::Q4_K:
            return run<block::Q4_K>(from, to, count, level);
        case Dtype::Q5_K:
            return run<block::Q5_K>(from, to, count, level);
        case Dtype::Q6_K:
            return run<block::Q6_K>(from, to, count, level);
        case Dtype::IQ4_NL:
            return run<block::IQ4_NL>(from, to, count, level);
        case Dtype::IQ4_XS:
            return run<block::IQ4_XS>(from, to, count, level);
        case Dtype::MXFP4:
            return run<block::MXFP4>(from, to, count, level);
        default:
            throw Error(ErrorCode::Internal, "a type that is not stored in blocks");
    }
}

template <typename Out>
void dispatch(Dtype dtype, const std::byte* from, Out* to, std::size_t count, SimdLevel level) {
    using namespace element;
    switch (dtype) {
        case Dtype::F64:
            return run<Native<double>>(from, to, count, level);
        case Dtype::F32:
            return run<Native<float>>(from, to, count, level);
        case Dtype::F16:
            return run<Float16>(from, to, count, level);
        case Dtype::BF16:
            return run<BFloat16>(from, to, count, level);
        case Dtype::F8_E4M3:
            return run<Float8E4M3>(from, to, count, level);
        case Dtype::F8_E5M2:
            return run<Float8E5M2>(from, to, count, level);
        case Dtype::I64:
            return run<Native<std::int64_t>>(from, to, count, level);
        case Dtype::I32:
            return run<Native<std::int32_t>>(from, to, count, level);
        case Dtype::I16:
            return run<Native<std::int16_t>>(from, to, count, level);
        case Dtype::I8:
            return run<Native<std::int8_t>>(from, to, count, level);
        case Dtype::U64:
            return run<Native<std::uint64_t>>(from, to, count, level);
        case Dtype::U32:
            return run<Native<std::uint32_t>>(from, to, count, level);
        case Dtype::U16:
            return run<Native<std::uint16_t>>(from, to, count, level);
        case Dtype::U8:
            return run<Native<std::uint8_t>>(from, to, count, level);
        case Dtype::Bool:
            return run<element::Bool>(from, to, count, level);
        default:
            return dispatchBlocks(dtype, from, to, count, level);
    }
}

void requireSizes(Dtype dtype, std::size_t bytes, std::size_t elements) {
    if (elements % blockElements(dtype) != 0 || bytes != storedBytes(dtype, elements)) {
        throw Error(ErrorCode::BadShape,
                    fmt::format("Cannot decode {} bytes of {} into {} elements: {} bytes hold {}.",
                                bytes, name(dtype), elements, sizeOf(dtype), blockElements(dtype)));
    }
}

}  // namespace

SimdLevel bestSimdLevel() noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return SimdLevel::Avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return SimdLevel::Avx2;
    }
#endif
    return SimdLevel::Portable;
}

void decodeToFloat(Dtype dtype, std::span<const std::byte> from, std::span<float> to,
                   SimdLevel level) {
    requireSizes(dtype, from.size(), to.size());
    dispatch(dtype, from.data(), to.data(), to.size(), std::min(level, bestSimdLevel()));
}

void decodeToBfloat16(Dtype dtype, std::span<const std::byte> from, std::span<std::uint16_t> to,
                      SimdLevel level) {
    requireSizes(dtype, from.size(), to.size());
    if (dtype == Dtype::BF16) {
        if (!from.empty()) {
            std::memcpy(to.data(), from.data(), from.size());
        }
        return;
    }
    dispatch(dtype, from.data(), to.data(), to.size(), std::min(level, bestSimdLevel()));
}

std::uint16_t toBfloat16(float value) noexcept {
    return element::roundToBfloat16(value);
}

}  // namespace moescope::checkpoint
