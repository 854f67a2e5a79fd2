// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/routing_map_body.h"

#include "core/figures/routing_agreement.h"
#include "widgets/canvas/colour_bar.h"
#include "widgets/canvas/token_read_out.h"
#include "widgets/support/colour_maps.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

constexpr std::uint64_t kMostShapes = 5000;
constexpr double kBarWidth = 10.0;
constexpr double kLongestBar = 240.0;
constexpr int kSmallestZoom = -8;
constexpr int kLargestZoom = 3;
constexpr std::uint64_t kLabelsMeasured = 20000;

}  // namespace

RoutingMapBody::RoutingMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                               int zoomLevel)
    : ZoomedTextBody(zoomLevel, {kSmallestZoom, kLargestZoom}),
      m_figure(std::move(figure)),
      m_map(std::get<figures::RoutingMapFigure>(m_figure->body)),
      m_style(std::move(style)) {
    const figures::Routing& routing = *m_map.routing;
    const std::uint64_t measured = std::min(routing.tokenCount(), kLabelsMeasured);
    int columns = 1;
    for (std::uint64_t row = 0; row < measured; ++row) {
        columns = std::max(columns, m_map.tokens->columns(routing.tokenAt(row)));
    }
    m_widestLabel =
        QFontMetricsF(m_style.tokens).horizontalAdvance(QLatin1Char('0')) * std::min(columns, 16);
}

double RoutingMapBody::rowHeight() const {
    const double whole = std::round(m_style.lineHeight() + 2.0);
    if (zoomLevel() >= 0) {
        return whole + 4.0 * zoomLevel();
    }
    // Half the size at each step: 8, 4, 2, 1 pixels, then 2, 4 ... tokens a pixel row.
    return 16.0 / std::pow(2.0, -zoomLevel());
}

double RoutingMapBody::mapWidth(double width) const {
    const QFontMetricsF metrics(m_style.font);
    const double bar =
        kBarWidth + 24.0 + metrics.horizontalAdvance(QStringLiteral("0.000")) + metrics.height();
    return std::max(width - bar, 40.0);
}

figures::RoutingLayout RoutingMapBody::layoutFor(double width, std::optional<double> height) const {
    return figures::layoutRouting(
        {mapWidth(width), height, m_map.routing->experts, m_map.routing->tokenCount(), rowHeight(),
         m_widestLabel, m_map.beside == nullptr ? 1 : 2},
        metricsOf(m_style.font));
}

double RoutingMapBody::naturalHeight(double width) const {
    const figures::RoutingLayout layout = layoutFor(width, std::nullopt);
    return layout.top + static_cast<double>(layout.rowsPerBlock) * layout.rowHeight + 2.0;
}

void RoutingMapBody::resize(const QSizeF& size) {
    m_bodyHeight = size.height();
    m_layout = layoutFor(size.width(), std::nullopt);
    const double needed =
        m_layout.top + static_cast<double>(m_layout.rowsPerBlock) * m_layout.rowHeight;
    if (needed > size.height()) {
        m_layout = layoutFor(size.width(), size.height());
    }
    scrollTo(static_cast<std::int64_t>(m_firstRow));
}

std::uint64_t RoutingMapBody::rowsInAll() const {
    return (m_map.routing->tokenCount() + m_layout.tokensPerRow - 1) / m_layout.tokensPerRow;
}

void RoutingMapBody::paint(QPainter& painter) const {
    for (int block = 0; block < m_layout.blocks; ++block) {
        paintBlock(painter, block);
    }
    const double right = m_layout.blockStride * m_layout.blocks;
    const double rows = static_cast<double>(std::min(m_layout.rowsPerBlock, rowsInAll()));
    const double barHeight = std::clamp(rows * m_layout.rowHeight,
                                        std::min(60.0, m_bodyHeight - m_layout.top), kLongestBar);
    paintColourBar(painter, QRectF(right - 8.0, m_layout.top, kBarWidth, barHeight), m_map.bar,
                   m_style);
}

std::vector<const figures::Routing*> RoutingMapBody::routings() const {
    std::vector<const figures::Routing*> all{m_map.routing.get()};
    if (m_map.beside != nullptr) {
        all.push_back(m_map.beside.get());
    }
    return all;
}

void RoutingMapBody::paintBlock(QPainter& painter, int block) const {
    const std::uint64_t inBlock = static_cast<std::uint64_t>(block) * m_layout.rowsPerBlock;
    const std::uint64_t all = rowsInAll();
    if (m_firstRow + inBlock >= all) {
        return;
    }
    const std::uint64_t rows = std::min(m_layout.rowsPerBlock, all - m_firstRow - inBlock);
    const std::uint64_t chosen = rows * static_cast<std::uint64_t>(m_map.routing->topK);
    const bool asShapes = m_layout.tokensPerRow == 1 && (chosen <= kMostShapes) &&
                          (m_style.vectorCells || m_layout.rowHeight >= 3.0);
    for (int map = 0; map < m_layout.maps; ++map) {
        const QRectF first = toQt(m_layout.cellRect(inBlock, 0, map));
        const QRectF area(first.topLeft(),
                          QSizeF(m_layout.mapWidth(), m_layout.rowHeight * double(rows)));
        paintHead(painter, area, map);
        if (asShapes) {
            paintWeights(painter, inBlock, rows, map);
        } else {
            paintWeightImage(painter, inBlock, rows, map);
        }
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(m_style.theme.axis, 0.5));
        painter.drawRect(area);
    }
    if (m_map.beside != nullptr) {
        paintAgreement(painter, inBlock, rows);
    }
    if (m_layout.labelWidth > 0.0) {
        paintTokens(painter, inBlock, rows);
    }
}

// The experts' numbers, the lines between them, and the model's name where there are two.
void RoutingMapBody::paintHead(QPainter& painter, const QRectF& area, int map) const {
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.secondaryText);
    for (int expert = 0; expert < m_layout.experts; ++expert) {
        if (static_cast<std::size_t>(expert) % m_layout.expertThinning == 0) {
            const double x = area.left() + (expert + 0.5) * m_layout.cellWidth;
            painter.drawText(QRectF(x - 30.0, 0.0, 60.0, m_layout.top - 3.0),
                             Qt::AlignHCenter | Qt::AlignBottom, QString::number(expert));
        }
    }
    if (m_layout.maps > 1) {
        const QFontMetricsF metrics(m_style.font);
        const QString name = QString::fromStdString(map == 0 ? m_map.name : m_map.besideName);
        painter.setPen(m_style.theme.text);
        painter.drawText(QRectF(area.left(), 0.0, area.width(), metrics.height()),
                         Qt::AlignLeft | Qt::AlignTop,
                         metrics.elidedText(name, Qt::ElideMiddle, area.width()));
    }
    painter.setPen(Qt::NoPen);
    if (m_layout.cellWidth >= 6.0) {
        for (int expert = 1; expert < m_layout.experts; ++expert) {
            const double x = area.left() + expert * m_layout.cellWidth - 0.5;
            painter.fillRect(QRectF(x, area.top(), 0.5, area.height()), m_style.theme.grid);
        }
    }
}

void RoutingMapBody::paintWeights(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows,
                                  int map) const {
    const figures::Routing& routing = *routings()[static_cast<std::size_t>(map)];
    const figures::ColourScale& scale = m_map.bar.scale;
    const double gap = m_layout.cellWidth > 10.0 && m_layout.rowHeight > 10.0 ? 1.0 : 0.0;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::uint64_t i = 0; i < rows; ++i) {
        const std::uint64_t token = m_firstRow + firstRow + i;
        for (int k = 0; k < routing.topK; ++k) {
            const QRectF cell = toQt(m_layout.cellRect(firstRow + i, routing.id(token, k), map));
            const float weight = routing.weight(token, k);
            const QColor colour = std::isfinite(weight)
                                      ? colourOn(m_style.theme.isDark, scale.map,
                                                 scale.position(static_cast<double>(weight)))
                                      : m_style.theme.missing;
            painter.fillRect(cell.adjusted(0, 0, -gap, -gap), colour);
        }
    }
    painter.restore();
}

void RoutingMapBody::paintWeightImage(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows,
                                      int map) const {
    const figures::Routing& routing = *routings()[static_cast<std::size_t>(map)];
    const figures::ColourScale& scale = m_map.bar.scale;
    QImage image(m_layout.experts, static_cast<int>(rows), QImage::Format_ARGB32);
    image.fill(Qt::transparent);
    std::vector<float> most(static_cast<std::size_t>(m_layout.experts));
    for (std::uint64_t i = 0; i < rows; ++i) {
        std::fill(most.begin(), most.end(), -1.0F);
        const std::uint64_t begin = (m_firstRow + firstRow + i) * m_layout.tokensPerRow;
        const std::uint64_t end = std::min(begin + m_layout.tokensPerRow, routing.tokenCount());
        for (std::uint64_t token = begin; token < end; ++token) {
            for (int k = 0; k < routing.topK; ++k) {
                float& kept = most[routing.id(token, k)];
                kept = std::max(kept, routing.weight(token, k));
            }
        }
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(static_cast<int>(i)));
        for (std::size_t expert = 0; expert < most.size(); ++expert) {
            if (most[expert] >= 0.0F) {
                line[expert] = colourOn(m_style.theme.isDark, scale.map,
                                        scale.position(static_cast<double>(most[expert])))
                                   .rgb();
            }
        }
    }
    const QRectF first = toQt(m_layout.cellRect(firstRow, 0, map));
    painter.save();
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(
        QRectF(first.topLeft(), QSizeF(m_layout.mapWidth(), m_layout.rowHeight * double(rows))),
        image);
    painter.restore();
}

// Between the maps: dark where the first choice differs, light where only the set does; of several
// tokens in a row the one that agrees least.
void RoutingMapBody::paintAgreement(QPainter& painter, std::uint64_t firstRow,
                                    std::uint64_t rows) const {
    const std::uint64_t tokens = m_map.routing->tokenCount();
    QColor light = m_style.theme.accent;
    light.setAlphaF(0.35F);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::uint64_t i = 0; i < rows; ++i) {
        const std::uint64_t begin = (m_firstRow + firstRow + i) * m_layout.tokensPerRow;
        const std::uint64_t end = std::min(begin + m_layout.tokensPerRow, tokens);
        auto least = figures::Agreement::Same;
        for (std::uint64_t row = begin; row < end; ++row) {
            least = std::max(least, figures::agreementOf(*m_map.routing, *m_map.beside, row));
        }
        if (least != figures::Agreement::Same) {
            const QRectF gap = toQt(m_layout.gapRect(firstRow + i));
            const double margin = gap.width() * 0.25;
            painter.fillRect(gap.adjusted(margin, 0, -margin, 0),
                             least == figures::Agreement::Neither ? m_style.theme.accent : light);
        }
    }
    painter.restore();
}

void RoutingMapBody::paintTokens(QPainter& painter, std::uint64_t firstRow,
                                 std::uint64_t rows) const {
    const figures::TokenTable& tokens = *m_map.tokens;
    const auto& documents = tokens.documentOffsets();
    const QFontMetricsF metrics(m_style.tokens);
    painter.setFont(m_style.tokens);
    for (std::uint64_t i = 0; i < rows; ++i) {
        const std::uint64_t token = m_map.routing->tokenAt(m_firstRow + firstRow + i);
        const QRectF row = toQt(m_layout.rowRect(firstRow + i));
        const QRectF label(row.left() - m_layout.labelWidth, row.top(), m_layout.labelWidth - 4.0,
                           row.height());
        const std::string_view text = tokens.text(token);
        painter.setPen(m_style.theme.text);
        painter.drawText(
            label, Qt::AlignRight | Qt::AlignVCenter,
            metrics.elidedText(QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())),
                               Qt::ElideRight, label.width()));
        if (token != 0 && std::binary_search(documents.begin(), documents.end(), token)) {
            painter.setPen(QPen(m_style.theme.text, 1.0));
            painter.drawLine(label.topLeft(), row.topRight());
        }
    }
}

figures::Hit RoutingMapBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    const auto found = m_layout.at(position.x(), position.y());
    if (!found) {
        return hit;
    }
    const std::uint64_t row = (m_firstRow + found->row) * m_layout.tokensPerRow;
    if (row >= m_map.routing->tokenCount()) {
        return hit;
    }
    hit.token = m_map.routing->tokenAt(row);
    hit.expert = found->expert;
    hit.layer = m_map.routing->layer;
    hit.readOut = readOutOf(row);
    return hit;
}

std::string RoutingMapBody::readOutOf(std::uint64_t row) const {
    std::string text = tokenReadOut(*m_map.tokens, *m_map.routing, row);
    if (m_map.beside != nullptr) {
        text += "; " + m_map.besideName + ":" + choicesReadOut(*m_map.beside, row);
    }
    return text;
}

QString RoutingMapBody::cardAt(const QPointF& position) const {
    const figures::Hit hit = hitAt(position);
    return hit.token ? tokenCard(*m_map.tokens, *m_map.routing, m_map.routing->rowFrom(*hit.token),
                                 m_style.theme)
                     : QString();
}

std::optional<std::uint64_t> RoutingMapBody::rowOfTokenInView(std::uint64_t token) const {
    const figures::Routing& routing = *m_map.routing;
    const std::optional<std::uint64_t> place = routing.rowOf(token);
    if (!place) {
        return std::nullopt;
    }
    const std::uint64_t row = *place / m_layout.tokensPerRow;
    const std::uint64_t shown = m_layout.rowsPerBlock * static_cast<std::uint64_t>(m_layout.blocks);
    if (row < m_firstRow || row - m_firstRow >= shown) {
        return std::nullopt;
    }
    return row - m_firstRow;
}

std::vector<QRectF> RoutingMapBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    if (selection.token) {
        if (const auto row = rowOfTokenInView(*selection.token)) {
            const QRectF cells = toQt(m_layout.rowRect(*row));
            rects.push_back(cells.adjusted(-m_layout.labelWidth, 0, 0, 0));
        }
    }
    if (selection.expert && *selection.expert < m_layout.experts) {
        for (int block = 0; block < m_layout.blocks; ++block) {
            const std::uint64_t first = static_cast<std::uint64_t>(block) * m_layout.rowsPerBlock;
            if (m_firstRow + first < rowsInAll()) {
                const std::uint64_t rows =
                    std::min(m_layout.rowsPerBlock, rowsInAll() - m_firstRow - first);
                for (int map = 0; map < m_layout.maps; ++map) {
                    QRectF column = toQt(m_layout.cellRect(first, *selection.expert, map));
                    column.setHeight(m_layout.rowHeight * double(rows));
                    rects.push_back(column);
                }
            }
        }
    }
    return rects;
}

std::optional<figures::Hit> RoutingMapBody::step(const figures::Selection& from, int dx,
                                                 int dy) const {
    const figures::Routing& routing = *m_map.routing;
    if (dy != 0 || routing.tokenCount() == 0) {
        return std::nullopt;
    }
    const auto last = static_cast<std::int64_t>(routing.tokenCount()) - 1;
    const std::int64_t row =
        from.token ? static_cast<std::int64_t>(routing.rowFrom(*from.token)) + dx : 0;
    figures::Hit hit;
    const auto target = static_cast<std::uint64_t>(std::clamp<std::int64_t>(row, 0, last));
    hit.token = routing.tokenAt(target);
    hit.readOut = readOutOf(target);
    return hit;
}

FigureBody::Scroll RoutingMapBody::scroll() const {
    const auto shown = static_cast<std::int64_t>(m_layout.rowsPerBlock) * m_layout.blocks;
    const auto all = static_cast<std::int64_t>(rowsInAll());
    return {std::max<std::int64_t>(all - shown, 0), shown};
}

void RoutingMapBody::scrollTo(std::int64_t step) {
    m_firstRow = static_cast<std::uint64_t>(std::clamp<std::int64_t>(step, 0, scroll().steps));
}

std::int64_t RoutingMapBody::scrollPosition() const {
    return static_cast<std::int64_t>(m_firstRow);
}

std::int64_t RoutingMapBody::stepOf(std::uint64_t token) const {
    if (rowOfTokenInView(token)) {
        return scrollPosition();
    }
    const figures::Routing& routing = *m_map.routing;
    const auto row = static_cast<std::int64_t>(routing.rowFrom(token) / m_layout.tokensPerRow);
    return std::max<std::int64_t>(row - scroll().page / 3, 0);
}

std::optional<figures::TokenRange> RoutingMapBody::tokensInView() const {
    const figures::Routing& routing = *m_map.routing;
    const std::uint64_t first = m_firstRow * m_layout.tokensPerRow;
    const std::uint64_t end = std::min(first + m_layout.tokensShown(), routing.tokenCount());
    if (first >= end) {
        return std::nullopt;
    }
    const std::uint64_t token = routing.tokenAt(first);
    return figures::TokenRange{token, routing.tokenAt(end - 1) - token + 1};
}

}  // namespace moescope::widgets
