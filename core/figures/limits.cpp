// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

template <typename Visit>
void forEachValue(const Matrix& matrix, bool offDiagonal, Visit visit) {
    for (std::size_t row = 0; row < matrix.rows; ++row) {
        for (std::size_t column = 0; column < matrix.columns; ++column) {
            const auto value = static_cast<double>(matrix.at(row, column));
            if (std::isfinite(value) && !(offDiagonal && row == column)) {
                visit(value);
            }
        }
    }
}

}  // namespace

Limits widened(Limits limits, const Matrix& matrix, bool offDiagonal) {
    forEachValue(matrix, offDiagonal, [&](double value) {
        limits = limits ? std::pair(std::min(limits->first, value), std::max(limits->second, value))
                        : std::pair(value, value);
    });
    return limits;
}

Limits limitsOverLayers(const FigureSource& source, const session::QuantityInfo& info,
                        bool offDiagonal) {
    Limits limits;
    for (const LayerId layer : info.layers) {
        limits = widened(limits, toMatrix(source.read(info.id, layer)), offDiagonal);
    }
    return limits;
}

ColourScale makeScale(ColourMap map, Limits limits) {
    ColourScale scale;
    scale.map = map;
    if (!limits) {
        return scale;
    }
    auto [low, high] = *limits;
    if (map == ColourMap::Diverging) {
        high = std::max(std::abs(low), std::abs(high));
        low = -high;
    }
    if (!(high > low)) {
        const double half = std::max(std::abs(high) * 0.05, 1e-6);
        low -= half;
        high += half;
    }
    scale.low = low;
    scale.high = high;
    return scale;
}

void markBeyond(ColourScale& scale, const Matrix& matrix, bool offDiagonal) {
    forEachValue(matrix, offDiagonal, [&](double value) {
        scale.hasBelow = scale.hasBelow || value < scale.low;
        scale.hasAbove = scale.hasAbove || value > scale.high;
    });
}

}  // namespace moescope::figures
