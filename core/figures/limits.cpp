// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace moescope::figures {
namespace {

constexpr double kUsualShare = 0.98;
constexpr double kFarBeyond = 1.5;  // that many times as large as usual

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

Limits usualLimits(const Matrix& matrix) {
    const Limits all = widened({}, matrix, false);
    if (!all) {
        return all;
    }
    std::vector<double> magnitudes;
    magnitudes.reserve(matrix.values.size());
    forEachValue(matrix, false, [&](double value) { magnitudes.push_back(std::abs(value)); });
    // Not between two values: the larger one may be what is left out.
    const auto at = magnitudes.begin() +
                    static_cast<std::ptrdiff_t>(kUsualShare * double(magnitudes.size() - 1));
    std::nth_element(magnitudes.begin(), at, magnitudes.end());
    const double usual = *at;
    const double most = std::max(std::abs(all->first), std::abs(all->second));
    if (!(usual > 0.0) || most <= kFarBeyond * usual) {
        return all;
    }
    return std::pair(std::clamp(all->first, -usual, usual), std::clamp(all->second, -usual, usual));
}

ColourScale makeRiseScale(ColourMap map, Limits limits) {
    if (map != ColourMap::Diverging || !limits) {
        return makeScale(map, limits);
    }
    ColourScale scale = makeScale(map, limits);
    if (limits->first != limits->second) {
        scale.low = std::min(limits->first, 0.0);
        scale.high = std::max(limits->second, 0.0);
    }
    return scale;
}

Limits limitsAsked(const ColourRange& range, const Matrix& matrix) {
    switch (range.kind) {
        case ColourRange::Kind::Fixed:
            return std::pair(range.low, range.high);
        case ColourRange::Kind::AllLayers:
            return widened({}, matrix, false);
        case ColourRange::Kind::Layer:
            break;
    }
    return usualLimits(matrix);
}

std::string beyondText(const ColourScale& scale, const Matrix& matrix) {
    std::size_t below = 0;
    std::size_t above = 0;
    forEachValue(matrix, false, [&](double value) {
        below += value < scale.low ? 1 : 0;
        above += value > scale.high ? 1 : 0;
    });
    if (below + above == 0) {
        return {};
    }
    const std::string low = fmt::format("{:+.2g}", scale.low);
    const std::string high = fmt::format("{:+.2g}", scale.high);
    const std::string ends = below == 0 ? high : above == 0 ? low : low + " and " + high;
    return fmt::format(
        " Colours end at {}; {} beyond.", ends,
        below + above == 1 ? "1 cell is" : fmt::format("{} cells are", below + above));
}

void markBeyond(ColourScale& scale, const Matrix& matrix, bool offDiagonal) {
    forEachValue(matrix, offDiagonal, [&](double value) {
        scale.hasBelow = scale.hasBelow || value < scale.low;
        scale.hasAbove = scale.hasAbove || value > scale.high;
    });
}

}  // namespace moescope::figures
