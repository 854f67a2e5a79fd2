// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/gram.h"

#include "core/jobs/parallel_for.h"
#include "core/numerics/gram_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace moescope::numerics {
namespace {

/// Columns of a tile are padded to whole vectors of any level.
constexpr std::size_t kWidest = 16;
constexpr std::size_t kMostTileColumns = 2048;
constexpr std::size_t kTileElements = std::size_t{1} << 16;  ///< stays in the second-level cache
constexpr std::size_t kTaskElements = std::size_t{1} << 18;  ///< of x, worth a task
constexpr std::size_t kRoundBytes = std::size_t{4} << 20;    ///< of tasks' results held at once
constexpr std::size_t kMostInRound = 64;

/// Some columns of x, and y's of the same columns in a buffer that stays in the cache.
struct Tile {
    const RowsView& x;
    const GramOptions& options;
    std::size_t first, width;  ///< columns of x
    std::size_t padded;        ///< columns of `y`, those beyond `width` 0
    std::span<float> y;        ///< [rows rounded up, padded]
    std::span<double> mean, deviation;
};

/// Sums over the rows of a few columns stay in registers.
constexpr std::size_t kColumnGroup = 64;

[[gnu::always_inline]] inline void columnMeans(const Tile& tile) {
    for (std::size_t k = 0; k < tile.width; k += kColumnGroup) {
        const std::size_t width = std::min(kColumnGroup, tile.width - k);
        double sums[kColumnGroup] = {};
        for (std::size_t r = 0; r < tile.options.count; ++r) {
            const float* const row = tile.x.data + r * tile.x.stride + tile.first + k;
            for (std::size_t i = 0; i < width; ++i) {
                sums[i] += static_cast<double>(row[i]);
            }
        }
        for (std::size_t i = 0; i < width; ++i) {
            tile.mean[k + i] = sums[i] / static_cast<double>(tile.options.count);
        }
    }
}

/// 1 / deviation, 0 for a constant column: equal float32 values have a float64 mean without
/// rounding.
[[gnu::always_inline]] inline void columnScales(const Tile& tile) {
    const double degrees = std::max(1.0, static_cast<double>(tile.options.count) - 1.0);
    std::fill_n(tile.deviation.begin(), tile.width, 0.0);
    for (std::size_t r = 0; r < tile.options.count; ++r) {
        const float* const row = tile.x.data + r * tile.x.stride + tile.first;
        for (std::size_t k = 0; k < tile.width; ++k) {
            const double difference = static_cast<double>(row[k]) - tile.mean[k];
            tile.deviation[k] += difference * difference;
        }
    }
    for (std::size_t k = 0; k < tile.width; ++k) {
        const double deviation = std::sqrt(tile.deviation[k] / degrees);
        tile.deviation[k] = deviation == 0.0 ? 0.0 : 1.0 / deviation;
    }
}

[[gnu::always_inline]] inline void centre(const Tile& tile) {
    const Centring how = tile.options.centring;
    if (how == Centring::Mean || how == Centring::Standardised) {
        columnMeans(tile);
    }
    if (how == Centring::Standardised) {
        columnScales(tile);
    }
    const float* const base = tile.x.data + tile.options.reference * tile.x.stride + tile.first;
    for (std::size_t r = 0; r < tile.options.count; ++r) {
        const float* const row = tile.x.data + r * tile.x.stride + tile.first;
        float* const to = tile.y.data() + r * tile.padded;
        switch (how) {
            case Centring::None:
                std::memcpy(to, row, tile.width * sizeof(float));
                break;
            case Centring::Row:
                for (std::size_t k = 0; k < tile.width; ++k) {
                    to[k] = row[k] - base[k];
                }
                break;
            case Centring::Mean:
                for (std::size_t k = 0; k < tile.width; ++k) {
                    to[k] = static_cast<float>(static_cast<double>(row[k]) - tile.mean[k]);
                }
                break;
            case Centring::Standardised:
                for (std::size_t k = 0; k < tile.width; ++k) {
                    to[k] = static_cast<float>((static_cast<double>(row[k]) - tile.mean[k]) *
                                               tile.deviation[k]);
                }
                break;
        }
        std::fill(to + tile.width, to + tile.padded, 0.0F);
    }
}

using AddTile = void (*)(const Tile&, double*);

void addPortable(const Tile& tile, double* sums) {
    centre(tile);
    GramBlock<float, 16, 2, 2>::add(tile.y.data(), tile.padded, tile.options.count, sums);
}
#if defined(MOESCOPE_X86)
MOESCOPE_TARGET_AVX2 void addAvx2(const Tile& tile, double* sums) {
    centre(tile);
    GramBlock<float, 32, 4, 2>::add(tile.y.data(), tile.padded, tile.options.count, sums);
}
MOESCOPE_TARGET_AVX512 void addAvx512(const Tile& tile, double* sums) {
    centre(tile);
    GramBlock<float, 64, 4, 4>::add(tile.y.data(), tile.padded, tile.options.count, sums);
}
#endif

AddTile best() {
#if defined(MOESCOPE_X86)
    if (hasAvx512()) {
        return addAvx512;
    }
    if (hasAvx2()) {
        return addAvx2;
    }
#endif
    return addPortable;
}

std::size_t tileColumns(std::size_t rows) {
    const std::size_t fitting = kTileElements / rows / kWidest * kWidest;
    return std::clamp(fitting, kWidest, kMostTileColumns);
}

std::size_t tasksInRound(std::size_t count) {
    return std::clamp(kRoundBytes / (count * count * sizeof(double)), std::size_t{1}, kMostInRound);
}

/// One thread's buffers.
struct Buffers {
    Buffers(std::size_t rows, std::size_t columns)
        : y(rows * columns), mean(columns), deviation(columns) {}
    std::vector<float> y;
    std::vector<double> mean, deviation;
};

}  // namespace

void addGram(const RowsView& x, const GramOptions& options, std::span<double> gram) {
    const std::size_t count = options.count;
    if (count == 0 || x.columns == 0) {
        return;
    }
    static const AddTile addTile = best();
    const std::size_t rows = roundUp(count, kGramRowGroup);
    const std::size_t tileWidth = tileColumns(rows);
    const std::size_t taskWidth = roundUp(kTaskElements / rows, tileWidth);
    const std::size_t tasks = (x.columns + taskWidth - 1) / taskWidth;
    const std::size_t atOnce = std::min(tasks, tasksInRound(count));
    std::vector<double> sums(atOnce * count * count);
    for (std::size_t begin = 0; begin < tasks; begin += atOnce) {
        const std::size_t now = std::min(atOnce, tasks - begin);
        std::fill(sums.begin(), sums.end(), 0.0);
        jobs::parallelFor(now, options.threads, jobs::CancelToken(), [&](std::size_t task) {
            Buffers buffers(rows, tileWidth);
            const std::size_t from = (begin + task) * taskWidth;
            const std::size_t end = std::min(from + taskWidth, x.columns);
            for (std::size_t first = from; first < end; first += tileWidth) {
                const std::size_t width = std::min(tileWidth, end - first);
                addTile({x, options, first, width, roundUp(width, kWidest), buffers.y, buffers.mean,
                         buffers.deviation},
                        sums.data() + task * count * count);
            }
        });
        for (std::size_t task = 0; task < now; ++task) {
            const double* const own = sums.data() + task * count * count;
            for (std::size_t i = 0; i < count; ++i) {
                for (std::size_t j = i; j < count; ++j) {
                    gram[i * count + j] += own[i * count + j];
                }
            }
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            gram[i * count + j] = gram[j * count + i];
        }
    }
}

std::uint64_t gramBytes(std::size_t count, unsigned threads) {
    const std::size_t rows = roundUp(std::max<std::size_t>(count, 1), kGramRowGroup);
    const std::size_t columns = tileColumns(rows);
    const std::uint64_t buffers = rows * columns * sizeof(float) + 2 * columns * sizeof(double);
    return threads * buffers + tasksInRound(rows) * count * count * sizeof(double);
}

}  // namespace moescope::numerics
