// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/device_similarity.h"

#include <algorithm>
#include <limits>
#include <numbers>

namespace moescope::experiments {
namespace {

// Elements of temporaries made at once: bounds memory whatever the block.
constexpr std::int64_t kChunkElements = 1 << 24;
constexpr double kSmallestNorm = 1e-8;  // as numerics::cosineFromDots()
// Where centring takes off nearly all of a vector, the Gram matrix of what is left cannot be had
// from that of the whole: no more than four digits may be lost.
constexpr double kSmallestShareWide = 1e-6;
constexpr double kSmallestShare = 0.05;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Whether LibTorch multiplies bfloat16 matrices to float32 ones. Templates, so that what it does
/// not have is not looked up.
template <typename Tensor>
constexpr bool kHasFloatProducts = requires(const Tensor& a) {
    at::bmm(a, a, at::kFloat);
};

bool hasNarrowGrams(const at::Tensor& outputs) {
    return kHasFloatProducts<at::Tensor> && !outputs.is_cpu() &&
           outputs.scalar_type() == at::kBFloat16;
}

/// Of bfloat16, in float32.
template <typename Tensor>
Tensor narrowGrams(const Tensor& outputs) {
    const Tensor vectors = outputs.transpose(0, 1);  // [n, N, d]
    if constexpr (kHasFloatProducts<Tensor>) {
        return at::bmm(vectors, vectors.transpose(1, 2), at::kFloat);
    } else {
        return at::bmm(vectors, vectors.transpose(1, 2));
    }
}

at::Tensor wideGrams(const at::Tensor& outputs) {
    const at::Tensor vectors = outputs.to(at::kDouble).transpose(0, 1);
    return at::bmm(vectors, vectors.transpose(1, 2));
}

/// Tokens whose outputs in float64 are made at once.
std::int64_t wideTokensAtOnce(std::int64_t columns, std::int64_t hiddenSize) {
    return std::max<std::int64_t>(1, kChunkElements / (columns * std::max(hiddenSize, columns)));
}

/// Tokens whose Gram matrices in float32 are.
std::int64_t narrowTokensAtOnce(std::int64_t columns) {
    return std::max<std::int64_t>(1, kChunkElements / (2 * columns * columns));
}

at::Tensor squaresOf(const at::Tensor& grams) {
    return grams.diagonal(0, 1, 2).to(at::kDouble);
}

/// float64 [n, N, N], of vectors with these squared norms [n, N].
at::Tensor clampedCosines(const at::Tensor& grams, const at::Tensor& squares) {
    const at::Tensor scales = squares.sqrt().clamp_min_(kSmallestNorm).reciprocal_();
    at::Tensor cosines = grams.to(at::kDouble) * scales.unsqueeze(2);
    return cosines.mul_(scales.unsqueeze(1)).clamp_(-1.0, 1.0);
}

}  // namespace

std::int64_t tokensAtOnce(const at::Tensor& outputs) {
    const std::int64_t columns = outputs.size(0);
    return hasNarrowGrams(outputs) ? narrowTokensAtOnce(columns)
                                   : wideTokensAtOnce(columns, outputs.size(2));
}

engine::BoundedBytes similarityBytes(std::uint64_t columns, std::uint64_t hiddenSize) {
    const auto n = static_cast<std::int64_t>(columns);
    const auto wideTokens =
        static_cast<std::uint64_t>(wideTokensAtOnce(n, static_cast<std::int64_t>(hiddenSize)));
    const auto narrowTokens = static_cast<std::uint64_t>(narrowTokensAtOnce(n));
    const std::uint64_t squares = columns * columns;
    const std::uint64_t wide = sizeof(double) * ((2 * columns + 1) * hiddenSize + 4 * squares);
    // The Gram matrix, its experts' part, that part's relative one, and two of angles; and tokens
    // that are made anew.
    const std::uint64_t narrow = (sizeof(float) + 4 * sizeof(double)) * squares;
    const std::uint64_t anew = 2 * sizeof(double) * columns * hiddenSize;
    return {std::max(wide, narrow + anew),
            std::max(wideTokens * wide,
                     narrowTokens * narrow + std::min(wideTokens, narrowTokens) * anew)};
}

at::Tensor gramPerToken(const at::Tensor& outputs) {
    return hasNarrowGrams(outputs) ? narrowGrams(outputs) : wideGrams(outputs);
}

at::Tensor relativeGrams(const at::Tensor& grams, const at::Tensor& experts) {
    const std::int64_t count = experts.size(0);
    const at::Tensor own = grams.narrow(1, 0, count).narrow(2, 0, count).to(at::kDouble);
    const at::Tensor means = own.mean(2, /*keepdim=*/true);
    const at::Tensor all = means.mean(1, /*keepdim=*/true);
    at::Tensor relative = (own - means).sub_(means.transpose(1, 2)).add_(all);
    const at::Tensor largest = at::maximum(own.diagonal(0, 1, 2), means.squeeze(2).abs());
    const double share = grams.scalar_type() == at::kDouble ? kSmallestShareWide : kSmallestShare;
    // A NaN, too, is not enough.
    const at::Tensor isEnough =
        relative.diagonal(0, 1, 2).gt(at::maximum(largest, all.squeeze(2).abs()) * share);
    const at::Tensor lacking = isEnough.all(1).logical_not().nonzero().flatten();
    const std::int64_t step = wideTokensAtOnce(count, experts.size(2));
    for (std::int64_t first = 0; first < lacking.size(0); first += step) {
        const at::Tensor rows = lacking.narrow(0, first, std::min(step, lacking.size(0) - first));
        const at::Tensor wide = experts.index_select(1, rows).to(at::kDouble);
        relative.index_copy_(0, rows, wideGrams(wide - wide.mean(0, /*keepdim=*/true)));
    }
    return relative;
}

at::Tensor angularSums(const at::Tensor& grams) {
    const at::Tensor own = squaresOf(grams);
    at::Tensor angles = clampedCosines(grams, own).acos_();
    // A vector is like itself, unless it is not one.
    angles.diagonal(0, 1, 2).copy_(
        at::where(at::isfinite(own), at::zeros_like(own), at::full_like(own, kNaN)));
    return angles.sum(0).mul_(-std::numbers::inv_pi).add_(static_cast<double>(grams.size(0)));
}

at::Tensor cosinesOf(const at::Tensor& grams) {
    const at::Tensor own = squaresOf(grams);
    at::Tensor cosines = clampedCosines(grams, own);
    at::Tensor diagonal = cosines.diagonal(0, 1, 2);
    const at::Tensor isVector =
        own.ge(kSmallestNorm * kSmallestNorm).logical_and_(at::isfinite(own));
    diagonal.copy_(at::where(isVector, at::ones_like(own), diagonal));
    return cosines.to(at::kFloat);
}

at::Tensor countNonFinite(const at::Tensor& grams) {
    const at::Tensor finite = at::isfinite(grams.diagonal(0, 1, 2)).all(1);
    return finite.logical_not().sum().to(at::kDouble).view({1});
}

}  // namespace moescope::experiments
