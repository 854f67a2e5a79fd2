// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/bfloat16_gram.h"

#include "core/base/error.h"

#include <algorithm>
#include <cstring>

#if defined(MOESCOPE_X86)
#include <immintrin.h>
#endif

namespace moescope::numerics {

#if defined(MOESCOPE_X86)
MOESCOPE_TARGET_AVX512_BF16 void addBfloat16Gram(const std::uint16_t* y, std::size_t stride,
                                                 std::size_t width, std::size_t count, double* sums,
                                                 const BetweenRows& between) {
    constexpr std::size_t kBlock = 4;   // rows by rows of products in registers
    constexpr std::size_t kLanes = 32;  // bfloat16 of a vector
    for (std::size_t i = 0; i < count; i += kBlock) {
        between.call(between.with, i);
        for (std::size_t j = i; j < count; j += kBlock) {
            __m512 products[kBlock][kBlock];
            for (auto& row : products) {
                for (__m512& one : row) {
                    one = _mm512_setzero_ps();
                }
            }
            const std::uint16_t* const top = y + i * stride;
            const std::uint16_t* const side = y + j * stride;
            for (std::size_t k = 0; k < width; k += kLanes) {
                __m512bh right[kBlock];
                for (std::size_t c = 0; c < kBlock; ++c) {
                    std::memcpy(&right[c], side + c * stride + k, sizeof right[c]);
                }
                for (std::size_t r = 0; r < kBlock; ++r) {
                    __m512bh left;
                    std::memcpy(&left, top + r * stride + k, sizeof left);
                    for (std::size_t c = 0; c < kBlock; ++c) {
                        products[r][c] = _mm512_dpbf16_ps(products[r][c], left, right[c]);
                    }
                }
            }
            for (std::size_t r = 0; r < std::min(kBlock, count - i); ++r) {
                for (std::size_t c = 0; c < std::min(kBlock, count - j); ++c) {
                    float parts[kLanes / 2];
                    _mm512_storeu_ps(parts, products[r][c]);
                    double sum = 0.0;
                    for (const float part : parts) {
                        sum += static_cast<double>(part);
                    }
                    sums[(i + r) * count + j + c] += sum;
                }
            }
        }
    }
}
#else
void addBfloat16Gram(const std::uint16_t*, std::size_t, std::size_t, std::size_t, double*,
                     const BetweenRows&) {
    throw Error(ErrorCode::Internal, "a processor without dot products of bfloat16");
}
#endif

}  // namespace moescope::numerics
