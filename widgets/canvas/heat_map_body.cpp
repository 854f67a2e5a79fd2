// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/heat_map_body.h"

#include "widgets/canvas/colour_bar.h"
#include "widgets/support/colour_maps.h"
#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::HeatMapLayout;
using figures::HeatMapPanel;
using figures::PanelLayout;

constexpr std::size_t kMostVectorCells = 5000;
// Lets neighbours overlap a little, so that viewers show no seams between shapes.
constexpr double kSeam = 0.3;

// Three diagonal strokes; a pattern brush would become an image in SVG.
void hatch(QPainter& painter, const QRectF& cell, const FigureStyle& style) {
    painter.fillRect(cell, style.theme.missing);
    if (cell.width() < 5.0) {
        return;
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(style.theme.missingHatch, 1.0));
    const double w = cell.width() - 1.0;
    const QPointF corner = cell.topLeft() + QPointF(0.5, 0.5);
    const auto line = [&](double x1, double y1, double x2, double y2) {
        painter.drawLine(corner + QPointF(x1, y1) * w, corner + QPointF(x2, y2) * w);
    };
    line(0.0, 1.0, 1.0, 0.0);
    line(0.0, 0.5, 0.5, 0.0);
    line(0.5, 1.0, 1.0, 0.5);
    painter.restore();
}

QString labelText(const std::string& text) {
    return QString::fromStdString(text);
}

std::string pairText(const std::string& row, const std::string& column) {
    return row == column ? "expert " + row : "experts " + row + " and " + column;
}

}  // namespace

HeatMapBody::HeatMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : m_figure(std::move(figure)),
      m_map(std::get<figures::HeatMapFigure>(m_figure->body)),
      m_style(std::move(style)) {}

double HeatMapBody::naturalHeight(double width) const {
    return figures::layoutHeatMaps(m_map, width, std::nullopt, metricsOf(m_style.font)).height;
}

void HeatMapBody::resize(const QSizeF& size) {
    const figures::TextMetrics text = metricsOf(m_style.font);
    // A file gives the height that was asked for; a window its own.
    m_layout = figures::layoutHeatMaps(m_map, size.width(), std::nullopt, text);
    if (std::abs(m_layout.height - size.height()) > 0.5) {
        m_layout = figures::layoutHeatMaps(m_map, size.width(), size.height(), text);
    }
}

bool HeatMapBody::isMasked(std::size_t row, std::size_t column) const {
    return m_map.diagonalMasked && row == column;
}

QColor HeatMapBody::colourOf(const HeatMapPanel& panel, std::size_t row, std::size_t column) const {
    const figures::ColourScale& scale = panel.ownScale ? panel.ownScale->scale : m_map.bar.scale;
    return colourOn(m_style.theme.isDark, scale.map,
                    scale.position(static_cast<double>(panel.matrix.at(row, column))));
}

void HeatMapBody::paint(QPainter& painter) const {
    for (std::size_t i = 0; i < m_layout.panels.size(); ++i) {
        const PanelLayout& place = m_layout.panels[i];
        const HeatMapPanel& panel = m_map.panels[i];
        const std::size_t cells = panel.matrix.rows * panel.matrix.columns;
        const bool asShapes = figures::cellGap(place.cell) > 0.0 ||
                              (m_style.vectorCells && cells <= kMostVectorCells);
        if (asShapes) {
            paintCells(painter, i);
        } else {
            paintImage(painter, i);
        }
        paintMarks(painter, i);
        paintLabels(painter, i);
        if (panel.ownScale) {
            paintColourBar(painter, toQt(place.bar), *panel.ownScale, m_style);
        }
        if (panel.isCurrent) {
            painter.setPen(QPen(m_style.theme.accent, 2.0));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(toQt(place.cells).adjusted(-2, -2, 2, 2));
        }
    }
    if (m_layout.bar.width > 0.0) {
        paintColourBar(painter, toQt(m_layout.bar), m_map.bar, m_style);
    }
}

void HeatMapBody::paintCells(QPainter& painter, std::size_t index) const {
    const PanelLayout& place = m_layout.panels[index];
    const HeatMapPanel& panel = m_map.panels[index];
    const figures::ColourScale& scale = panel.ownScale ? panel.ownScale->scale : m_map.bar.scale;
    const double gap = figures::cellGap(place.cell);
    const double drawn = gap > 0.0 ? -gap : kSeam;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t row = 0; row < panel.matrix.rows; ++row) {
        for (std::size_t column = 0; column < panel.matrix.columns; ++column) {
            const figures::Rect rect = m_layout.cellRect(m_map, {index, row, column});
            const QRectF cell(rect.x, rect.y, rect.width + drawn, rect.height + drawn);
            const float value = panel.matrix.at(row, column);
            if (isMasked(row, column)) {
                painter.fillRect(cell, m_style.theme.missing);
            } else if (!std::isfinite(value)) {
                hatch(painter, cell, m_style);
            } else {
                const QColor back = colourOf(panel, row, column);
                painter.fillRect(cell, back);
                if (figures::cellShowsValue(place.cell)) {
                    paintValue(painter, cell, value, back, scale.high - scale.low);
                }
            }
        }
    }
    painter.restore();
}

void HeatMapBody::paintValue(QPainter& painter, const QRectF& cell, float value, const QColor& back,
                             double span) const {
    const auto number = static_cast<double>(value);
    QString text = m_map.integral ? QString::number(number, 'f', 0)
                                  : QString::fromStdString(figures::shortNumber(number, span));
    text.replace(QLatin1Char('-'), QChar(0x2212));
    const QFont font = m_style.smallFont();
    if (QFontMetricsF(font).horizontalAdvance(text) > cell.width() - 2.0) {
        return;
    }
    painter.setFont(font);
    painter.setPen(Theme::textOn(back));
    painter.drawText(cell, Qt::AlignCenter, text);
}

// One pixel per value, enlarged without smoothing; smaller than device pixels, averaged.
void HeatMapBody::paintImage(QPainter& painter, std::size_t index) const {
    const PanelLayout& place = m_layout.panels[index];
    const HeatMapPanel& panel = m_map.panels[index];
    const auto rows = static_cast<int>(panel.matrix.rows);
    const auto columns = static_cast<int>(panel.matrix.columns);
    QImage image(columns, rows, QImage::Format_RGB32);
    for (int y = 0; y < rows; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        const auto row = static_cast<std::size_t>(m_map.firstRowAtBottom ? rows - 1 - y : y);
        for (int x = 0; x < columns; ++x) {
            const auto column = static_cast<std::size_t>(x);
            const bool shown =
                !isMasked(row, column) && std::isfinite(panel.matrix.at(row, column));
            line[x] = shown ? colourOf(panel, row, column).rgb() : m_style.theme.missing.rgb();
        }
    }
    // The rows and columns set apart are pieces of their own.
    const auto cuts = [](std::size_t before, int count) {
        std::vector<std::pair<int, int>> pieces{{0, count}};
        if (before > 0) {
            pieces = {{0, static_cast<int>(before)}, {static_cast<int>(before), count}};
        }
        return pieces;
    };
    painter.save();
    const bool averaged = place.cell * m_style.deviceScale < 1.0;
    painter.setRenderHint(QPainter::SmoothPixmapTransform, averaged);
    for (const auto& [top, bottom] : cuts(panel.rowsBeforeGap, rows)) {
        for (const auto& [left, right] : cuts(panel.columnsBeforeGap, columns)) {
            const int sourceTop = m_map.firstRowAtBottom ? rows - bottom : top;
            const QImage piece = image.copy(left, sourceTop, right - left, bottom - top);
            const auto first = static_cast<std::size_t>(m_map.firstRowAtBottom ? bottom - 1 : top);
            const QRectF target(place.columnLeft(panel, static_cast<std::size_t>(left)),
                                place.rowTop(panel, first, m_map.firstRowAtBottom),
                                place.cell * (right - left), place.rowHeight * (bottom - top));
            if (averaged) {
                const QSize pixels =
                    (target.size() * m_style.deviceScale).toSize().expandedTo({1, 1});
                painter.drawImage(
                    target, piece.scaled(pixels, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
            } else {
                painter.drawImage(target, piece);
            }
        }
    }
    painter.restore();
}

// Contours of marks are drawn in both black and white, so that they stand out on any colour.
void HeatMapBody::paintMarks(QPainter& painter, std::size_t index) const {
    const HeatMapPanel& panel = m_map.panels[index];
    const PanelLayout& place = m_layout.panels[index];
    if (panel.matrix.rows == 0 || panel.matrix.columns == 0) {
        return;
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const std::size_t last = std::min(panel.matrix.rows, panel.matrix.columns) - 1;
    if (m_map.diagonalLine && last > 0) {
        painter.setPen(QPen(QColor(Qt::white), 0.75, Qt::DotLine));
        painter.drawLine(toQt(m_layout.cellRect(m_map, {index, 0, 0})).center(),
                         toQt(m_layout.cellRect(m_map, {index, last, last})).center());
    }
    const double radius = std::clamp(place.cell * 0.22, 1.0, 3.0);
    painter.setPen(QPen(QColor(Qt::black), 0.6));
    painter.setBrush(QColor(Qt::white));
    paintCellMarks(painter, index);
    for (std::size_t column = 0; column < panel.columnMarks.size(); ++column) {
        const int row = panel.columnMarks[column];
        if (row >= 0 && static_cast<std::size_t>(row) < panel.matrix.rows) {
            const QRectF cell =
                toQt(m_layout.cellRect(m_map, {index, static_cast<std::size_t>(row), column}));
            painter.drawEllipse(cell.center(), radius, radius);
        }
    }
    painter.restore();
}

namespace {

/// White between black contours, and the cell's colour within.
void paintRing(QPainter& painter, const QPointF& centre, double radius) {
    painter.save();
    painter.setBrush(Qt::NoBrush);
    const double middle = 0.85 * radius;
    painter.setPen(QPen(QColor(Qt::black), 0.6 * radius + 0.6));
    painter.drawEllipse(centre, middle, middle);
    painter.setPen(QPen(QColor(Qt::white), 0.6 * radius));
    painter.drawEllipse(centre, middle, middle);
    painter.restore();
}

}  // namespace

// In a corner where the value stands in the cell.
void HeatMapBody::paintCellMarks(QPainter& painter, std::size_t index) const {
    const HeatMapPanel& panel = m_map.panels[index];
    const double cell = m_layout.panels[index].cell;
    const bool inCorner = figures::cellShowsValue(cell);
    const double radius = std::clamp(cell * 0.16, 0.75, 2.5);
    for (std::size_t i = 0; i < panel.cellMarks.size() && panel.matrix.columns > 0; ++i) {
        if (panel.cellMarks[i] == 0) {
            continue;
        }
        const QRectF rect = toQt(
            m_layout.cellRect(m_map, {index, i / panel.matrix.columns, i % panel.matrix.columns}));
        const QPointF centre =
            inCorner ? rect.topRight() + QPointF(-1.6, 1.6) * radius : rect.center();
        if (panel.cellMarks[i] == HeatMapPanel::kMarkedOpen) {
            paintRing(painter, centre, radius);
        } else {
            painter.drawEllipse(centre, radius, radius);
        }
    }
}

void HeatMapBody::paintLabels(QPainter& painter, std::size_t index) const {
    const PanelLayout& place = m_layout.panels[index];
    const HeatMapPanel& panel = m_map.panels[index];
    painter.setFont(m_style.font);
    painter.setPen(m_style.theme.text);
    const double height = m_style.lineHeight();
    if (!panel.title.empty()) {
        const QRectF area = toQt(place.title);
        painter.drawText(area, Qt::AlignLeft | Qt::AlignTop,
                         QFontMetricsF(m_style.font)
                             .elidedText(labelText(panel.title), Qt::ElideMiddle, area.width()));
    }
    painter.setPen(m_style.theme.secondaryText);
    // A label that is set apart is always drawn; expert labels too near to it are not.
    const auto drawn = [](std::size_t i, std::size_t thin, std::size_t gap, std::size_t count) {
        const std::size_t experts = gap > 0 ? gap : count;
        return i >= experts ? (i - experts) % std::max<std::size_t>(thin, 1) == 0
                            : thin > 0 && i % thin == 0 && (gap == 0 || i + thin <= gap);
    };
    for (std::size_t row = 0; row < panel.matrix.rows; ++row) {
        if (drawn(row, place.rowThinning, panel.rowsBeforeGap, panel.matrix.rows)) {
            const double y =
                place.rowTop(panel, row, m_map.firstRowAtBottom) + place.rowHeight / 2.0;
            painter.drawText(QRectF(place.cells.x - 304.0, y - height / 2.0, 300.0, height),
                             Qt::AlignRight | Qt::AlignVCenter, labelText(panel.rowLabels[row]));
        }
    }
    const double below = place.cells.bottom() + 2.0;
    for (std::size_t column = 0; column < panel.matrix.columns; ++column) {
        if (drawn(column, place.columnThinning, panel.columnsBeforeGap, panel.matrix.columns)) {
            const double x = place.columnLeft(panel, column) + place.cell / 2.0;
            const QString text = labelText(panel.columnLabels[column]);
            if (place.columnsUpright) {
                painter.save();
                painter.translate(x, below);
                painter.rotate(-90.0);
                painter.drawText(
                    QRectF(-place.labelsBelow, -height / 2.0, place.labelsBelow, height),
                    Qt::AlignRight | Qt::AlignVCenter, text);
                painter.restore();
                continue;
            }
            painter.drawText(QRectF(x - 50.0, below, 100.0, height),
                             Qt::AlignHCenter | Qt::AlignTop, text);
        }
    }
    if (!m_map.columnTitle.empty()) {
        painter.drawText(
            QRectF(place.cells.x, below + place.labelsBelow, place.cells.width, height),
            Qt::AlignHCenter | Qt::AlignTop, labelText(m_map.columnTitle));
    }
    if (!m_map.rowTitle.empty()) {
        painter.save();
        const QFontMetricsF metrics(m_style.font);
        double labels = 0.0;
        for (const std::string& label : panel.rowLabels) {
            labels = std::max(labels, metrics.horizontalAdvance(labelText(label)));
        }
        painter.translate(place.cells.x - labels - 8.0 - height,
                          place.cells.y + place.cells.height / 2.0);
        painter.rotate(-90.0);
        // Few rows may be lower than their title is long.
        const double length = std::max(place.cells.height,
                                       metrics.horizontalAdvance(labelText(m_map.rowTitle)) + 2.0);
        painter.drawText(QRectF(-length / 2.0, 0.0, length, height),
                         Qt::AlignHCenter | Qt::AlignTop, labelText(m_map.rowTitle));
        painter.restore();
    }
}

/// " (0.11 to 0.19; differs from all text)"
std::string HeatMapBody::uncertaintyText(const HeatMapPanel& panel,
                                         const HeatMapLayout::Cell& cell) const {
    std::string text;
    if (!panel.low.values.empty() && std::isfinite(panel.low.at(cell.row, cell.column))) {
        const auto low = static_cast<double>(panel.low.at(cell.row, cell.column));
        const auto high = static_cast<double>(panel.high.at(cell.row, cell.column));
        text = formatValue(low).toStdString() + " to " + formatValue(high).toStdString();
    }
    const std::size_t place = cell.row * panel.matrix.columns + cell.column;
    if (place < panel.cellMarks.size() && panel.cellMarks[place] != 0) {
        const bool isOpen = panel.cellMarks[place] == HeatMapPanel::kMarkedOpen;
        text += (text.empty() ? "" : "; ") + (isOpen ? m_map.openMarkName : m_map.markName);
    }
    return text.empty() ? text : " (" + text + ")";
}

std::size_t HeatMapBody::toFront(std::size_t panel, Labels labels, std::size_t place) const {
    const std::vector<std::string>& front = m_map.panels.front().*labels;
    const std::vector<std::string>& own = m_map.panels[panel].*labels;
    const auto found = std::find(front.begin(), front.end(), own[place]);
    return found == front.end() ? place : static_cast<std::size_t>(found - front.begin());
}

std::size_t HeatMapBody::fromFront(std::size_t panel, Labels labels, std::size_t place) const {
    const std::vector<std::string>& front = m_map.panels.front().*labels;
    const std::vector<std::string>& own = m_map.panels[panel].*labels;
    const auto found =
        place < front.size() ? std::find(own.begin(), own.end(), front[place]) : own.end();
    return found == own.end() ? place : static_cast<std::size_t>(found - own.begin());
}

figures::Hit HeatMapBody::hitOf(const HeatMapLayout::Cell& cell) const {
    const HeatMapPanel& panel = m_map.panels[cell.panel];
    const std::string& row = panel.rowLabels[cell.row];
    const std::string& column = panel.columnLabels[cell.column];
    const auto value = static_cast<double>(panel.matrix.at(cell.row, cell.column));
    figures::Hit hit;
    hit.panel = static_cast<int>(cell.panel);
    hit.row = static_cast<int>(toFront(cell.panel, &HeatMapPanel::rowLabels, cell.row));
    hit.column = static_cast<int>(toFront(cell.panel, &HeatMapPanel::columnLabels, cell.column));
    hit.layer = panel.layer;
    const auto numberOf = [](const std::string& label) {
        bool isNumber = false;
        const int number = QString::fromStdString(label).toInt(&isNumber);
        return isNumber ? std::optional(number) : std::nullopt;
    };
    using ExpertAxis = figures::HeatMapFigure::ExpertAxis;
    if (m_map.expertAxis != ExpertAxis::None) {
        hit.expert = numberOf(m_map.expertAxis == ExpertAxis::Rows ? row : column);
    }
    if (m_map.rowsAreLayers) {
        const std::optional<int> layer = numberOf(row);
        hit.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
    }
    hit.readOut = panel.title.empty() || m_map.integral ? "" : panel.title + ", ";
    if (m_map.integral) {
        hit.readOut += m_map.rowTitle + " " + row + ", " + m_map.columnTitle + " " + column + ": " +
                       formatCount(static_cast<std::uint64_t>(value)).toStdString() + " tokens";
        const bool isMarked = cell.column < panel.columnMarks.size() &&
                              panel.columnMarks[cell.column] == static_cast<int>(cell.row);
        hit.readOut += isMarked ? ", " + m_map.markName : "";
    } else {
        hit.readOut += m_map.isPair
                           ? pairText(row, column)
                           : m_map.rowTitle + " " + row + ", " + m_map.columnTitle + " " + column;
        hit.readOut += ": " + formatValue(value).toStdString() + uncertaintyText(panel, cell);
    }
    return hit;
}

figures::Hit HeatMapBody::hitAt(const QPointF& position) const {
    const auto cell = m_layout.cellAt(m_map, position.x(), position.y());
    return cell ? hitOf(*cell) : figures::Hit{};
}

// The selected expert's column or row; of maps of layers by experts, its cell.
std::vector<QRectF> HeatMapBody::expertOutlines(const figures::Selection& selection) const {
    using ExpertAxis = figures::HeatMapFigure::ExpertAxis;
    std::vector<QRectF> rects;
    if (m_map.expertAxis == ExpertAxis::None || !selection.expert) {
        return rects;
    }
    const auto placeOf = [](const std::vector<std::string>& labels, int number) {
        return static_cast<std::size_t>(
            std::find(labels.begin(), labels.end(), std::to_string(number)) - labels.begin());
    };
    for (std::size_t i = 0; i < m_layout.panels.size(); ++i) {
        const HeatMapPanel& panel = m_map.panels[i];
        const bool ofRows = m_map.expertAxis == ExpertAxis::Rows;
        const std::size_t expert =
            placeOf(ofRows ? panel.rowLabels : panel.columnLabels, *selection.expert);
        std::size_t first = 0;
        std::size_t last = (ofRows ? panel.matrix.columns : panel.matrix.rows) - 1;
        if (m_map.rowsAreLayers && !ofRows && selection.layer) {
            first = last = placeOf(panel.rowLabels, selection.layer->value);
        }
        const auto cell = [&](std::size_t other) {
            return toQt(m_layout.cellRect(m_map, ofRows ? HeatMapLayout::Cell{i, expert, other}
                                                        : HeatMapLayout::Cell{i, other, expert}));
        };
        if (expert < (ofRows ? panel.matrix.rows : panel.matrix.columns) &&
            last < (ofRows ? panel.matrix.columns : panel.matrix.rows)) {
            rects.push_back(cell(first).united(cell(last)));
        }
    }
    return rects;
}

std::vector<QRectF> HeatMapBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    if (!selection.pairRow || !selection.pairColumn) {
        return expertOutlines(selection);
    }
    for (std::size_t i = 0; i < m_layout.panels.size(); ++i) {
        const std::size_t row =
            fromFront(i, &HeatMapPanel::rowLabels, static_cast<std::size_t>(*selection.pairRow));
        const std::size_t column = fromFront(i, &HeatMapPanel::columnLabels,
                                             static_cast<std::size_t>(*selection.pairColumn));
        const figures::Matrix& matrix = m_map.panels[i].matrix;
        if (row < matrix.rows && column < matrix.columns) {
            rects.push_back(toQt(m_layout.cellRect(m_map, {i, row, column})));
        }
    }
    return rects;
}

std::optional<figures::Hit> HeatMapBody::step(const figures::Selection& from, int dx,
                                              int dy) const {
    if (m_map.panels.empty() || m_map.panels.front().matrix.values.empty()) {
        return std::nullopt;
    }
    const figures::Matrix& matrix = m_map.panels.front().matrix;
    const int up = m_map.firstRowAtBottom ? -dy : dy;
    const bool fresh = !from.pairRow || !from.pairColumn;
    const int row = fresh ? 0 : std::clamp(*from.pairRow + up, 0, int(matrix.rows) - 1);
    const int column = fresh ? 0 : std::clamp(*from.pairColumn + dx, 0, int(matrix.columns) - 1);
    return hitOf({0, static_cast<std::size_t>(row), static_cast<std::size_t>(column)});
}

}  // namespace moescope::widgets
