// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

/// Similarities between the vectors that several experts give for one token, token after token: the
/// step that an experiment on expert outputs spends its time in.
namespace moescope::numerics {

/// Element k of vector v of token t is data[v * vectorStride + t * tokenStride + k], of the one
/// kind of data that is not null.
struct TokenVectors {
    const float* data = nullptr;
    const std::uint16_t* bfloat16 = nullptr;
    std::size_t vectors = 0, tokens = 0, length = 0;
    std::size_t vectorStride = 0, tokenStride = 0;
};

struct TokenSimilarityOptions {
    std::size_t centred = 0;  ///< the first so many vectors go into `relative`, less their mean
    unsigned threads = 1;
    /// Which tokens are added to the sums; empty: all.
    std::function<bool(std::size_t token)> counts{};
    /// Gets each token's Gram matrix [vectors, vectors]; from several threads at once; may be
    /// empty.
    std::function<void(std::size_t token, std::span<const double> gram)> visit{};
};

/// Sums over tokens of angular similarities, of the vectors and of the centred ones.
struct TokenSimilaritySums {
    std::span<double> angular;   ///< [vectors, vectors]
    std::span<double> relative;  ///< [centred, centred]
};

/// Adds those of all tokens, as addAngularSimilarities() does of each one's Gram matrix. Products
/// are in float64. Returns how many of the counted tokens have a vector with NaN or infinity. The
/// same to the bit for any number of threads.
std::uint64_t addTokenSimilarities(const TokenVectors& x, const TokenSimilarityOptions& options,
                                   const TokenSimilaritySums& sums);

/// Memory that addTokenSimilarities() takes beside its arguments.
[[nodiscard]] std::uint64_t tokenSimilarityBytes(std::size_t vectors, unsigned threads);

}  // namespace moescope::numerics
