// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/geometry.h"

#include <cstdint>
#include <optional>

namespace moescope::figures {

/// A token x expert map: a row is a token, a column an expert. Few experts leave room beside, so
/// the rows run on in further blocks, as text does in newspaper columns.
struct RoutingLayout {
    double cellWidth = 0.0, rowHeight = 0.0;
    double labelWidth = 0.0;  ///< token text left of the cells; 0 when rows are too low for text
    double blockStride = 0.0;
    double top = 0.0;  ///< below the expert numbers
    int blocks = 1;
    int experts = 0;  ///< of each map
    int maps = 1;     ///< beside each other, a cell wide apart
    std::uint64_t rowsPerBlock = 1;
    std::uint64_t tokensPerRow = 1;  ///< more than one when zoomed out: the largest weight is shown
    std::size_t expertThinning = 1;

    [[nodiscard]] std::uint64_t tokensShown() const {
        return rowsPerBlock * static_cast<std::uint64_t>(blocks) * tokensPerRow;
    }
    /// The cells of a row, those of all maps; rows are counted from the first one shown.
    [[nodiscard]] Rect rowRect(std::uint64_t row) const;
    [[nodiscard]] Rect cellRect(std::uint64_t row, int expert, int map = 0) const;
    /// The cell between two maps.
    [[nodiscard]] Rect gapRect(std::uint64_t row) const { return cellRect(row, experts); }
    [[nodiscard]] int columns() const { return maps * (experts + 1) - 1; }
    [[nodiscard]] double mapWidth() const { return cellWidth * static_cast<double>(experts); }

    struct Position {
        std::uint64_t row = 0;
        std::optional<int> expert;  ///< nothing over the token's text and between maps
    };
    [[nodiscard]] std::optional<Position> at(double x, double y) const;
};

struct RoutingLayoutInput {
    double width = 0.0;
    std::optional<double> height;  ///< nullopt: as high as needed for all tokens
    int experts = 1;
    std::uint64_t tokens = 0;
    double rowHeight = 16.0;  ///< wanted; below 1 several tokens share a row
    double widestLabel = 0.0;
    int maps = 1;
};

[[nodiscard]] RoutingLayout layoutRouting(const RoutingLayoutInput& input, const TextMetrics& text);

}  // namespace moescope::figures
