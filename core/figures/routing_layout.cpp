// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/routing_layout.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace moescope::figures {
namespace {

constexpr double kBlockGap = 24.0;
constexpr double kLabelGap = 6.0;
constexpr double kSmallestWithText = 9.0;

}  // namespace

RoutingLayout layoutRouting(const RoutingLayoutInput& input, const TextMetrics& text) {
    RoutingLayout layout;
    layout.experts = std::max(input.experts, 1);
    layout.maps = std::max(input.maps, 1);
    const auto columns = static_cast<double>(layout.columns());
    layout.rowHeight = std::max(input.rowHeight, 1.0);
    if (input.rowHeight > 0.0 && input.rowHeight < 1.0) {
        layout.tokensPerRow = static_cast<std::uint64_t>(std::ceil(1.0 / input.rowHeight));
    }
    if (layout.rowHeight >= kSmallestWithText) {
        layout.labelWidth = std::min(input.widestLabel + kLabelGap, input.width * 0.4);
    }
    const double room = input.width - layout.labelWidth;
    // Square cells where they fit, narrower ones for many experts, never wider than a row is high
    // times two (low rows of a zoomed-out map).
    const double wanted = std::max(layout.rowHeight, 6.0);
    layout.cellWidth = std::min(wanted, room / columns);
    if (layout.cellWidth >= 3.0) {
        layout.cellWidth = std::floor(layout.cellWidth);
    }
    layout.blockStride = layout.labelWidth + layout.cellWidth * columns + kBlockGap;
    // Above the experts' numbers the names of the maps.
    layout.top = text.lineHeight * (layout.maps > 1 ? 2.0 : 1.0) + 4.0;
    const std::uint64_t rows =
        std::max<std::uint64_t>((input.tokens + layout.tokensPerRow - 1) / layout.tokensPerRow, 1);
    const int fit = std::max(1, static_cast<int>((input.width + kBlockGap) / layout.blockStride));
    if (input.height) {
        layout.rowsPerBlock = static_cast<std::uint64_t>(
            std::max(1.0, std::floor((*input.height - layout.top) / layout.rowHeight)));
        const std::uint64_t needed = (rows + layout.rowsPerBlock - 1) / layout.rowsPerBlock;
        layout.blocks = static_cast<int>(std::min<std::uint64_t>(needed, fit));
        // A short text is spread evenly over its blocks.
        if (needed <= static_cast<std::uint64_t>(fit)) {
            layout.rowsPerBlock = std::min(layout.rowsPerBlock, rows);
        }
    } else {
        layout.blocks = static_cast<int>(std::min<std::uint64_t>(fit, rows));
        const auto blocks = static_cast<std::uint64_t>(layout.blocks);
        layout.rowsPerBlock = (rows + blocks - 1) / blocks;
    }
    layout.expertThinning = thinning(static_cast<std::size_t>(layout.experts), layout.cellWidth,
                                     text.width(std::to_string(layout.experts - 1)) + 3.0);
    return layout;
}

Rect RoutingLayout::rowRect(std::uint64_t row) const {
    const std::uint64_t block = row / rowsPerBlock;
    return {static_cast<double>(block) * blockStride + labelWidth,
            top + static_cast<double>(row % rowsPerBlock) * rowHeight,
            cellWidth * static_cast<double>(columns()), rowHeight};
}

Rect RoutingLayout::cellRect(std::uint64_t row, int expert, int map) const {
    const Rect line = rowRect(row);
    const int column = expert + map * (experts + 1);
    return {line.x + static_cast<double>(column) * cellWidth, line.y, cellWidth, rowHeight};
}

std::optional<RoutingLayout::Position> RoutingLayout::at(double x, double y) const {
    if (x < 0.0 || y < top) {
        return std::nullopt;
    }
    const auto block = static_cast<std::uint64_t>(x / blockStride);
    const auto line = static_cast<std::uint64_t>((y - top) / rowHeight);
    const double within = x - static_cast<double>(block) * blockStride - labelWidth;
    if (block >= static_cast<std::uint64_t>(blocks) || line >= rowsPerBlock) {
        return std::nullopt;
    }
    Position position{block * rowsPerBlock + line, std::nullopt};
    if (within >= 0.0) {
        const auto column = static_cast<int>(within / cellWidth);
        if (column >= columns()) {
            return std::nullopt;
        }
        const int expert = column % (experts + 1);
        if (expert < experts) {
            position.expert = expert;
        }
    }
    return position;
}

}  // namespace moescope::figures
