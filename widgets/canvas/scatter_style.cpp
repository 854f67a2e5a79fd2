// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/scatter_style.h"

#include "widgets/support/colour_maps.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::widgets {
namespace {

/// Of a value that is not negative; lround is a call for each pixel.
int rounded(float value) {
    constexpr float kHalf = 0.5F;
    return static_cast<int>(value + kHalf);
}

using figures::ScatterFigure;
using figures::ScatterGroup;
using figures::ScatterPanel;

constexpr std::size_t kMostEntries = 128;

QString headingOf(ScatterGroup::Kind kind) {
    return kind == ScatterGroup::Kind::Series ? QStringLiteral("layer") : QStringLiteral("expert");
}

constexpr std::size_t kShades = 1024;

/// By how many points a pixel has: logarithmic, so that a single one still shows.
std::array<float, kShades> opacitiesOf(float most) {
    constexpr float kFaintest = 0.3F;
    std::array<float, kShades> opacities{};
    for (std::size_t count = 1; count < kShades; ++count) {
        const float share =
            std::log1p(static_cast<float>(count - 1)) / std::log1p(std::max(most - 1.0F, 1.0F));
        opacities[count] = std::min(kFaintest + (1.0F - kFaintest) * share, 1.0F);
    }
    return opacities;
}

}  // namespace

QColor groupColour(const ScatterFigure& figure, std::size_t group, const Theme& theme) {
    const ScatterGroup& what = figure.groups[group];
    switch (what.kind) {
        case ScatterGroup::Kind::Baseline:
            return theme.text;
        case ScatterGroup::Kind::Shared:
            return theme.secondaryText;
        case ScatterGroup::Kind::Series: {
            if (figure.groupCount <= 1) {
                return theme.barPrimary;
            }
            const double at = static_cast<double>(what.index) / (figure.groupCount - 1);
            // The end that would vanish in the background is left out.
            return colourAt(figures::ColourMap::Viridis,
                            theme.isDark ? 0.2 + 0.8 * at : 0.04 + 0.88 * at);
        }
        case ScatterGroup::Kind::Expert:
            break;
    }
    return theme.expertColour(what.index, figure.groupCount);
}

Mark groupMark(const ScatterGroup& group) {
    switch (group.kind) {
        case ScatterGroup::Kind::Baseline:
            return Mark::Star;
        case ScatterGroup::Kind::Shared:
            return Mark::Diamond;
        default:
            return Mark::Circle;
    }
}

std::vector<LegendEntry> scatterLegend(const ScatterFigure& figure, const Theme& theme) {
    std::vector<LegendEntry> entries;
    if (figure.groups.size() < 2 || figure.groups.size() > kMostEntries) {
        return entries;
    }
    LegendEntry heading;
    heading.name = headingOf(figure.groups.front().kind).toStdString();
    heading.swatch = LegendEntry::Swatch::None;
    heading.canHide = false;
    entries.push_back(heading);
    for (std::size_t i = 0; i < figure.groups.size(); ++i) {
        entries.push_back({figure.groups[i].name, groupColour(figure, i, theme),
                           LegendEntry::Swatch::Point, groupMark(figure.groups[i]), true});
    }
    return entries;
}

std::string pointName(const ScatterFigure& figure, const ScatterPanel& panel, std::size_t point) {
    const ScatterGroup& group = figure.groups[panel.group[point]];
    const bool isNumbered =
        group.kind == ScatterGroup::Kind::Expert || group.kind == ScatterGroup::Kind::Series;
    std::string name = group.name;
    if (isNumbered) {
        name = headingOf(group.kind).toStdString() + " " + name;
    }
    if (!panel.pairs.empty()) {
        const auto& [row, column] = panel.pairs[point];
        name += ", experts " + std::to_string(row) + " and " + std::to_string(column);
    } else if (!panel.member.empty()) {
        name += ", " + figure.memberName + " " + std::to_string(panel.member[point]);
    }
    return name;
}

double markSize(std::size_t points) {
    return points <= 1000 ? 5.0 : points <= 5000 ? 3.5 : 2.5;
}

PointDensity::PointDensity(const std::vector<QColor>& colours, const QSize& size, int side)
    : m_size(size),
      m_side(static_cast<std::size_t>(side)),
      m_offset(std::floor(static_cast<double>(side) / 2.0)),
      m_columns(static_cast<std::size_t>(size.width()) + m_side - 1),
      m_rows(static_cast<std::size_t>(size.height()) + m_side - 1),
      m_sums(m_columns * m_rows) {
    for (const QColor& colour : colours) {
        m_colours.push_back({static_cast<float>(colour.redF()), static_cast<float>(colour.greenF()),
                             static_cast<float>(colour.blueF()), 1.0F});
    }
}

// A point is m_side pixels wide and high: every pixel takes what begins there and in the m_side - 1
// ones before. Done once for all points, along the rows and then down the columns.
void PointDensity::widen() {
    const auto gather = [this](std::size_t at, std::size_t step) {
        Sum sum;
        for (std::size_t i = 0; i < m_side; ++i) {
            sum.add(m_sums[at + i * step]);
        }
        m_sums[at] = sum;  // what comes later is not gathered yet
    };
    const std::size_t width = m_columns - (m_side - 1);
    for (std::size_t row = 0; row < m_rows; ++row) {
        for (std::size_t column = 0; column < width; ++column) {
            gather(row * m_columns + column, 1);
        }
    }
    for (std::size_t row = 0; row + m_side - 1 < m_rows; ++row) {
        for (std::size_t column = 0; column < width; ++column) {
            gather(row * m_columns + column, m_columns);
        }
    }
}

// The 99th percentile of how many points a pixel has, of those that have any: a few crowded pixels
// must not make all others faint.
float PointDensity::usualMost() const {
    std::vector<float> counts;
    for (std::size_t row = 0; row + m_side - 1 < m_rows; ++row) {
        for (std::size_t column = 0; column + m_side - 1 < m_columns; ++column) {
            const float count = m_sums[row * m_columns + column].count;
            if (count > 0.0F) {
                counts.push_back(count);
            }
        }
    }
    if (counts.empty()) {
        return 1.0F;
    }
    const auto at = counts.begin() + static_cast<std::ptrdiff_t>((counts.size() - 1) * 99 / 100);
    std::nth_element(counts.begin(), at, counts.end());
    return *at;
}

QImage PointDensity::image() {
    QImage image(m_size, QImage::Format_ARGB32_Premultiplied);
    if (image.isNull()) {
        return image;
    }
    widen();
    const std::array<float, kShades> opacities = opacitiesOf(usualMost());
    for (int y = 0; y < m_size.height(); ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        const Sum* sum = m_sums.data() + static_cast<std::size_t>(y) * m_columns;
        for (int x = 0; x < m_size.width(); ++x, ++sum) {
            if (sum->count == 0.0F) {
                line[x] = 0;
                continue;
            }
            const float opacity =
                opacities[std::min(static_cast<std::size_t>(sum->count), kShades - 1)];
            const float scale = opacity * 255.0F / sum->count;
            const auto part = [scale](float total) { return rounded(total * scale); };
            line[x] =
                qRgba(part(sum->red), part(sum->green), part(sum->blue), rounded(opacity * 255.0F));
        }
    }
    return image;
}

}  // namespace moescope::widgets
