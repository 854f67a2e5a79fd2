// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/bfloat16_gram.h"

#include "core/base/error.h"
#include "core/numerics/gram_block.h"

#include <algorithm>
#include <cstring>

#if defined(MOESCOPE_X86)
#include <immintrin.h>
#endif

namespace moescope::numerics {

#if defined(MOESCOPE_X86)
namespace {

constexpr std::size_t kBlock = 4;   // rows by rows of products in registers
constexpr std::size_t kLanes = 32;  // bfloat16 of a vector

/// Some rows by some others: a function of its own, in which all products stay in registers.
struct Block {
    const std::uint16_t *top, *side;
    std::size_t stride, width;
    std::size_t rows, columns;  ///< that are there, of kBlock
    double* sums;
    std::size_t sumsStride;
};

MOESCOPE_TARGET_AVX512_BF16 [[gnu::noinline]] void addBlock(const Block& block) {
    __m512 products[kBlock][kBlock];
    for (auto& row : products) {
        for (__m512& one : row) {
            one = _mm512_setzero_ps();
        }
    }
    for (std::size_t k = 0; k < block.width; k += kLanes) {
        __m512bh right[kBlock];
        for (std::size_t c = 0; c < kBlock; ++c) {
            std::memcpy(&right[c], block.side + c * block.stride + k, sizeof right[c]);
        }
        for (std::size_t r = 0; r < kBlock; ++r) {
            __m512bh left;
            std::memcpy(&left, block.top + r * block.stride + k, sizeof left);
            for (std::size_t c = 0; c < kBlock; ++c) {
                products[r][c] = _mm512_dpbf16_ps(products[r][c], left, right[c]);
            }
        }
    }
    for (std::size_t r = 0; r < block.rows; ++r) {
        for (std::size_t c = 0; c < block.columns; ++c) {
            float parts[kLanes / 2];
            _mm512_storeu_ps(parts, products[r][c]);
            double sum = 0.0;
            for (const float part : parts) {
                sum += static_cast<double>(part);
            }
            block.sums[r * block.sumsStride + c] += sum;
        }
    }
}

}  // namespace

void addBfloat16Gram(const std::uint16_t* y, std::size_t stride, std::size_t width,
                     std::size_t count, double* sums, const BetweenRows& between) {
    forEachGramPair(
        count, kBlock, kBlock, width * sizeof *y,
        [&](std::size_t i) { between.call(between.with, i); },
        [&](std::size_t i, std::size_t j) {
            addBlock({y + i * stride, y + j * stride, stride, width, std::min(kBlock, count - i),
                      std::min(kBlock, count - j), sums + i * count + j, count});
        });
}
#else
void addBfloat16Gram(const std::uint16_t*, std::size_t, std::size_t, std::size_t, double*,
                     const BetweenRows&) {
    throw Error(ErrorCode::Internal, "a processor without dot products of bfloat16");
}
#endif

}  // namespace moescope::numerics
