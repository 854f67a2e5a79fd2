// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/token_similarity.h"

#include "core/jobs/parallel_for.h"
#include "core/numerics/gram_block.h"
#include "core/numerics/require.h"
#include "core/numerics/similarity.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace moescope::numerics {
namespace {

constexpr std::size_t kWidest = 8;                           ///< doubles of a vector at any level
constexpr std::size_t kTileElements = std::size_t{1} << 16;  ///< stays in the second-level cache
constexpr std::size_t kTaskTokens = 16;
constexpr std::size_t kRoundBytes = std::size_t{16} << 20;  ///< of tasks' sums held at once
constexpr std::size_t kMostInRound = 64;
/// Where centring takes off nearly all of a vector, the Gram matrix of what is left cannot be had
/// from that of the whole.
constexpr double kSmallestShare = 1e-6;

/// The first `count` vectors of one token.
struct Token {
    const TokenVectors& x;
    std::size_t token, count;
    bool centred;
    std::vector<double>& buffer;
    std::size_t tile;  ///< columns of the buffer
};

[[gnu::always_inline]] inline double widen(float value) {
    return static_cast<double>(value);
}
[[gnu::always_inline]] inline double widen(std::uint16_t bfloat16) {
    return static_cast<double>(std::bit_cast<float>(std::uint32_t{bfloat16} << 16U));
}

template <typename Scalar>
[[gnu::always_inline]] inline void widenAll(const Scalar* from, double* to, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
        to[k] = widen(from[k]);
    }
}

/// Columns [first, first + width) as float64; those up to `padded` are 0.
[[gnu::always_inline]] inline void fillTile(const Token& token, std::size_t first,
                                            std::size_t width, std::size_t padded) {
    double* const y = token.buffer.data();
    for (std::size_t v = 0; v < token.count; ++v) {
        const std::size_t at = v * token.x.vectorStride + token.token * token.x.tokenStride + first;
        double* const to = y + v * padded;
        if (token.x.bfloat16 != nullptr) {
            widenAll(token.x.bfloat16 + at, to, width);
        } else {
            widenAll(token.x.data + at, to, width);
        }
        std::fill(to + width, to + padded, 0.0);
    }
    if (!token.centred) {
        return;
    }
    double* const mean = y + token.count * padded;
    std::fill(mean, mean + width, 0.0);
    for (std::size_t v = 0; v < token.count; ++v) {
        for (std::size_t k = 0; k < width; ++k) {
            mean[k] += y[v * padded + k];
        }
    }
    for (std::size_t k = 0; k < width; ++k) {
        mean[k] /= static_cast<double>(token.count);
    }
    for (std::size_t v = 0; v < token.count; ++v) {
        for (std::size_t k = 0; k < width; ++k) {
            y[v * padded + k] -= mean[k];
        }
    }
    std::fill(mean, mean + width, 0.0);
}

template <std::size_t kBytes, std::size_t kRows, std::size_t kColumns>
[[gnu::always_inline]] inline void addProducts(const Token& token, double* gram) {
    for (std::size_t first = 0; first < token.x.length; first += token.tile) {
        const std::size_t width = std::min(token.tile, token.x.length - first);
        const std::size_t padded = roundUp(width, kWidest);
        fillTile(token, first, width, padded);
        GramBlock<double, kBytes, kRows, kColumns>::add(token.buffer.data(), padded, padded,
                                                        token.count, gram, [](std::size_t) {});
    }
}

using AddProducts = void (*)(const Token&, double*);

void addPortable(const Token& token, double* gram) {
    addProducts<16, 2, 2>(token, gram);
}
MOESCOPE_TARGET_AVX2 void addAvx2(const Token& token, double* gram) {
    addProducts<32, 4, 2>(token, gram);
}
MOESCOPE_TARGET_AVX512 void addAvx512(const Token& token, double* gram) {
    addProducts<64, 4, 4>(token, gram);
}

/// Room for whole groups of rows, and for the mean.
std::size_t bufferRows(std::size_t vectors) {
    return roundUp(vectors + 1, kGramRowGroup);
}

std::size_t tileColumns(std::size_t vectors) {
    return std::max(kTileElements / bufferRows(vectors) / kWidest, std::size_t{1}) * kWidest;
}

/// One thread's buffers.
class Worker {
public:
    Worker(const TokenVectors& x, std::size_t centred)
        : m_x(x),
          m_centred(centred),
          m_tile(std::min(tileColumns(x.vectors),
                          roundUp(std::max<std::size_t>(x.length, 1), kWidest))),
          m_buffer(bufferRows(x.vectors) * m_tile),
          m_gram(x.vectors * x.vectors),
          m_relative(centred * centred),
          m_means(centred) {}

    [[nodiscard]] std::span<const double> gram(std::size_t token) {
        product({m_x, token, m_x.vectors, false, m_buffer, m_tile}, m_gram);
        return m_gram;
    }

    /// Of the centred vectors of the token whose Gram matrix was asked for last.
    [[nodiscard]] std::span<const double> relativeGram(std::size_t token) {
        if (!centreGram()) {
            product({m_x, token, m_centred, true, m_buffer, m_tile}, m_relative);
        }
        return m_relative;
    }

private:
    static void product(const Token& token, std::vector<double>& gram) {
        static const auto addProducts = bestForm<AddProducts>(addPortable, addAvx2, addAvx512);
        std::fill(gram.begin(), gram.end(), 0.0);
        addProducts(token, gram.data());
        for (std::size_t i = 0; i < token.count; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                gram[i * token.count + j] = gram[j * token.count + i];
            }
        }
    }

    /// (x_i - m)(x_j - m) = g_ij - g_im - g_mj + g_mm. False where too little is left of a vector.
    [[nodiscard]] bool centreGram() {
        const std::size_t n = m_centred;
        double all = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            double sum = 0.0;
            for (std::size_t j = 0; j < n; ++j) {
                sum += m_gram[i * m_x.vectors + j];
            }
            m_means[i] = sum / static_cast<double>(n);
            all += sum;
        }
        all /= static_cast<double>(n * n);
        bool isEnough = true;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                m_relative[i * n + j] =
                    m_gram[i * m_x.vectors + j] - (m_means[i] + m_means[j]) + all;
            }
            // A NaN, too, leaves through the second way.
            isEnough = isEnough && m_relative[i * n + i] > kSmallestShare * largest(i, all);
        }
        return isEnough;
    }

    [[nodiscard]] double largest(std::size_t i, double all) const {
        return std::max({m_gram[i * m_x.vectors + i], std::abs(m_means[i]), std::abs(all)});
    }

    const TokenVectors& m_x;
    std::size_t m_centred, m_tile;
    std::vector<double> m_buffer, m_gram, m_relative, m_means;
};

/// What some tokens add.
struct TaskSums {
    std::vector<double> angular, relative;
    std::uint64_t notFinite = 0;
};

bool hasNonFinite(std::span<const double> gram, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(gram[i * n + i])) {
            return true;
        }
    }
    return false;
}

void addTo(std::span<double> sums, const std::vector<double>& more) {
    std::transform(sums.begin(), sums.end(), more.begin(), sums.begin(), std::plus<>());
}

std::size_t tasksInRound(std::size_t vectors) {
    const std::size_t bytes = 2 * vectors * vectors * sizeof(double);
    return std::clamp(kRoundBytes / std::max<std::size_t>(bytes, 1), std::size_t{1}, kMostInRound);
}

void addTokens(const TokenVectors& x, const TokenSimilarityOptions& options, std::size_t first,
               std::size_t end, TaskSums& sums) {
    Worker worker(x, options.centred);
    for (std::size_t token = first; token < end; ++token) {
        const std::span<const double> gram = worker.gram(token);
        if (options.visit) {
            options.visit(token, gram);
        }
        if (options.counts && !options.counts(token)) {
            continue;
        }
        sums.notFinite += hasNonFinite(gram, x.vectors) ? 1 : 0;
        addAngularSimilarities(gram, x.vectors, sums.angular);
        if (options.centred > 0) {
            addAngularSimilarities(worker.relativeGram(token), options.centred, sums.relative);
        }
    }
}

}  // namespace

std::uint64_t addTokenSimilarities(const TokenVectors& x, const TokenSimilarityOptions& options,
                                   const TokenSimilaritySums& sums) {
    require(options.centred <= x.vectors && sums.angular.size() == x.vectors * x.vectors &&
                sums.relative.size() == options.centred * options.centred,
            "addTokenSimilarities: sums of another size");
    if (x.vectors == 0) {
        return 0;
    }
    const std::size_t tasks = (x.tokens + kTaskTokens - 1) / kTaskTokens;
    const std::size_t atOnce = std::min(tasks, tasksInRound(x.vectors));
    std::uint64_t notFinite = 0;
    for (std::size_t begin = 0; begin < tasks; begin += atOnce) {
        std::vector<TaskSums> round(std::min(atOnce, tasks - begin));
        jobs::parallelFor(round.size(), options.threads, jobs::CancelToken(), [&](std::size_t i) {
            round[i].angular.resize(sums.angular.size());
            round[i].relative.resize(sums.relative.size());
            const std::size_t first = (begin + i) * kTaskTokens;
            addTokens(x, options, first, std::min(first + kTaskTokens, x.tokens), round[i]);
        });
        for (const TaskSums& task : round) {
            addTo(sums.angular, task.angular);
            addTo(sums.relative, task.relative);
            notFinite += task.notFinite;
        }
    }
    return notFinite;
}

std::uint64_t tokenSimilarityBytes(std::size_t vectors, unsigned threads) {
    const std::size_t squares = vectors * vectors * sizeof(double);
    const std::uint64_t buffers =
        bufferRows(vectors) * tileColumns(vectors) * sizeof(double) + 2 * squares;
    return threads * buffers + tasksInRound(vectors) * 2 * squares;
}

}  // namespace moescope::numerics
