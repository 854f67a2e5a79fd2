// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/point_grid.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

constexpr double kPointsPerCell = 4.0;
constexpr double kMostCells = 1024.0;  // along an axis

bool isFinite(float x, float y) {
    return std::isfinite(x) && std::isfinite(y);
}

}  // namespace

PointGrid::PointGrid(std::span<const float> x, std::span<const float> y) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!isFinite(x[i], y[i])) {
            continue;
        }
        const auto px = static_cast<double>(x[i]);
        const auto py = static_cast<double>(y[i]);
        m_lowX = count == 0 ? px : std::min(m_lowX, px);
        m_highX = count == 0 ? px : std::max(m_highX, px);
        m_lowY = count == 0 ? py : std::min(m_lowY, py);
        m_highY = count == 0 ? py : std::max(m_highY, py);
        ++count;
    }
    if (count == 0) {
        return;
    }
    const double side = std::sqrt(static_cast<double>(count) / kPointsPerCell);
    m_side = static_cast<std::size_t>(std::clamp(side, 1.0, kMostCells));
    const auto cell = [&](std::size_t i) {
        return cellOf(static_cast<double>(y[i]), m_lowY, m_highY) * m_side +
               cellOf(static_cast<double>(x[i]), m_lowX, m_highX);
    };
    m_begin.assign(m_side * m_side + 1, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (isFinite(x[i], y[i])) {
            ++m_begin[cell(i) + 1];
        }
    }
    for (std::size_t i = 1; i < m_begin.size(); ++i) {
        m_begin[i] += m_begin[i - 1];
    }
    std::vector<std::uint32_t> next(m_begin.begin(), m_begin.end() - 1);
    m_points.resize(count);
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (isFinite(x[i], y[i])) {
            m_points[next[cell(i)]++] = static_cast<std::uint32_t>(i);
        }
    }
}

std::size_t PointGrid::cellOf(double value, double low, double high) const {
    if (!(high > low)) {
        return 0;
    }
    const double cell = (value - low) / (high - low) * static_cast<double>(m_side);
    return static_cast<std::size_t>(std::clamp(cell, 0.0, static_cast<double>(m_side - 1)));
}

}  // namespace moescope::figures
