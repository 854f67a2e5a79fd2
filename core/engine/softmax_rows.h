// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/element_math.h"

#include <cstddef>
#include <limits>

/// Softmax of attention's scores in main memory in one pass over a row, for which LibTorch takes
/// five (scale, mask, softmax in float32, conversion). Internal to the engine.
namespace moescope::engine {

/// One query's scores.
struct ScoreRow {
    std::size_t keys = 0;            ///< numbers in the row
    std::size_t first = 0, end = 0;  ///< those that the query sees; the others become 0
    float scale = 1.0F;              ///< multiplies a score, which then rounds to its type
    /// Stands beside the scores and takes its share; minus infinity: nothing does.
    float sink = -std::numeric_limits<float>::infinity();
};

/// row[i] = exp(scale row[i]) / (exp(sink) + sum over the seen), in float32, rounded at the end. A
/// NaN among the seen makes all of them NaN. What a row gives depends on nothing but its seen part.
void softmaxRow(float* scores, const ScoreRow& row);
/// `room`: row.end - row.first numbers.
void softmaxRow(Bfloat16Bits* scores, const ScoreRow& row, float* room);

}  // namespace moescope::engine
