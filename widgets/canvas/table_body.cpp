// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/table_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moescope::widgets {
namespace {

using figures::TableColumn;

constexpr double kGap = 16.0;
constexpr double kNarrowGap = 7.0;
constexpr double kPadding = 5.0;  // of a row
constexpr int kDigits = 4;
constexpr int kFewDigits = 3;     // in a narrow column of a paper
constexpr int kSmallestFont = 8;  // 6 pt in print

bool isText(const TableColumn& column) {
    return column.kind == TableColumn::Kind::Text;
}

}  // namespace

TableBody::TableBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                     std::shared_ptr<ChartMemory> memory)
    : m_figure(std::move(figure)),
      m_table(std::get<figures::TableFigure>(m_figure->body)),
      m_style(std::move(style)),
      m_memory(std::move(memory)),
      m_font(m_style.font) {
    sort();
}

double TableBody::rowHeight() const {
    return m_style.lineHeight() + kPadding;
}

QString TableBody::cellText(std::size_t row, std::size_t column) const {
    const TableColumn& from = m_table.columns[column];
    switch (from.kind) {
        case TableColumn::Kind::Text:
            return QString::fromStdString(from.texts[row]);
        case TableColumn::Kind::Count:
            return std::isfinite(from.numbers[row])
                       ? formatCount(static_cast<std::uint64_t>(from.numbers[row]))
                       : QString();
        case TableColumn::Kind::Number:
            break;
    }
    // Not available in a summary means that it has none.
    return std::isnan(from.numbers[row]) && row >= sortedRows()
               ? QString()
               : formatValue(from.numbers[row], m_digits);
}

QString TableBody::headingText(std::size_t column) const {
    QString text = QString::fromStdString(m_table.columns[column].name);
    if (m_memory->sortColumn == column) {
        text += m_memory->isDescending ? QStringLiteral(" \u25BE") : QStringLiteral(" \u25B4");
    }
    return text;
}

std::vector<double> TableBody::widthsIn(const QFont& font) const {
    const QFontMetricsF metrics(font);
    std::vector<double> widths;
    for (std::size_t c = 0; c < m_table.columns.size(); ++c) {
        double width = metrics.horizontalAdvance(headingText(c));
        for (std::size_t r = 0; r < m_table.rows; ++r) {
            width = std::max(width, metrics.horizontalAdvance(cellText(r, c)));
        }
        widths.push_back(std::ceil(width));
    }
    return widths;
}

// The figure's own size where it fits, else smaller, down to what can be read in print.
void TableBody::chooseFont() {
    m_font = m_style.font;
    const auto sum = [&](double gap) {
        const auto widths = widthsIn(m_font);
        return std::accumulate(widths.begin(), widths.end(), 0.0) +
               gap * static_cast<double>(std::max<std::size_t>(widths.size(), 1) - 1);
    };
    m_digits = kDigits;
    if (sum(kNarrowGap) > m_size.width()) {
        m_digits = kFewDigits;
    }
    const int smallest = std::min(kSmallestFont, m_style.fontPx);
    for (int size = m_style.fontPx; size > smallest && sum(kNarrowGap) > m_size.width();) {
        m_font.setPixelSize(--size);
    }
    const double spare = m_size.width() - sum(0.0);
    const double gaps = static_cast<double>(std::max<std::size_t>(m_table.columns.size(), 2) - 1);
    const double gap = std::clamp(spare / gaps, kNarrowGap, kGap);
    m_widths = widthsIn(m_font);
    for (std::size_t c = 1; c < m_widths.size(); ++c) {
        m_widths[c] += gap;
    }
}

void TableBody::sort() {
    m_order.resize(sortedRows());
    std::iota(m_order.begin(), m_order.end(), std::size_t{0});
    const auto column = m_memory->sortColumn;
    if (!column || *column >= m_table.columns.size()) {
        return;
    }
    const TableColumn& by = m_table.columns[*column];
    const bool isDescending = m_memory->isDescending;
    std::stable_sort(m_order.begin(), m_order.end(), [&](std::size_t a, std::size_t b) {
        if (isText(by)) {
            return isDescending ? by.texts[b] < by.texts[a] : by.texts[a] < by.texts[b];
        }
        // What is not available comes last in either order.
        if (std::isnan(by.numbers[a]) || std::isnan(by.numbers[b])) {
            return !std::isnan(by.numbers[a]) && std::isnan(by.numbers[b]);
        }
        return isDescending ? by.numbers[b] < by.numbers[a] : by.numbers[a] < by.numbers[b];
    });
}

double TableBody::naturalHeight(double /*width*/) const {
    return std::ceil(rowHeight() * static_cast<double>(m_table.rows + 1) + 2.0);
}

void TableBody::resize(const QSizeF& size) {
    m_size = size;
    chooseFont();
    scrollTo(scrollPosition());
}

std::size_t TableBody::rowsInView() const {
    const double fixed = static_cast<double>(1 + m_table.summaryRows) * rowHeight() + 2.0;
    const double room = std::max(m_size.height() - fixed, 0.0);
    return std::max<std::size_t>(1, static_cast<std::size_t>((room + 0.5) / rowHeight()));
}

FigureBody::Scroll TableBody::scroll() const {
    const std::size_t inView = rowsInView();
    if (m_order.size() <= inView) {
        return {};
    }
    return {static_cast<std::int64_t>(m_order.size() - inView), static_cast<std::int64_t>(inView)};
}

void TableBody::scrollTo(std::int64_t step) {
    m_first = static_cast<std::size_t>(std::clamp<std::int64_t>(step, 0, scroll().steps));
}

std::int64_t TableBody::scrollPosition() const {
    return static_cast<std::int64_t>(m_first);
}

void TableBody::paintRow(QPainter& painter, double top, const std::vector<QString>& cells,
                         const QColor& colour) const {
    painter.setPen(colour);
    double x = 0.0;
    for (std::size_t c = 0; c < cells.size(); ++c) {
        const bool left = isText(m_table.columns[c]);
        const double gap = c == 0 ? 0.0 : kNarrowGap;
        painter.drawText(
            QRectF(x + (left ? gap : 0.0), top, m_widths[c], rowHeight()),
            static_cast<int>((left ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter), cells[c]);
        x += m_widths[c];
    }
}

void TableBody::paintRule(QPainter& painter, double y) const {
    painter.setPen(QPen(m_style.theme.axis, 0.67));
    painter.drawLine(QPointF(0.0, y),
                     QPointF(std::accumulate(m_widths.begin(), m_widths.end(), 0.0), y));
}

void TableBody::paint(QPainter& painter) const {
    painter.save();
    painter.setFont(m_font);
    std::vector<QString> cells(m_table.columns.size());
    for (std::size_t c = 0; c < cells.size(); ++c) {
        cells[c] = headingText(c);
    }
    paintRow(painter, 0.0, cells, m_style.theme.secondaryText);
    double top = rowHeight();
    paintRule(painter, top - 0.5);
    const auto row = [&](std::size_t index) {
        for (std::size_t c = 0; c < cells.size(); ++c) {
            cells[c] = cellText(index, c);
        }
        paintRow(painter, top, cells, m_style.theme.text);
        top += rowHeight();
    };
    const std::size_t last = std::min(m_order.size(), m_first + rowsInView());
    for (std::size_t i = m_first; i < last; ++i) {
        row(m_order[i]);
    }
    if (m_table.summaryRows > 0) {
        paintRule(painter, top + 0.5);
        top += 1.0;
    }
    for (std::size_t i = sortedRows(); i < m_table.rows; ++i) {
        row(i);
    }
    painter.restore();
}

std::optional<std::size_t> TableBody::rowAt(double y) const {
    const double shown = y / rowHeight() - 1.0;
    if (shown < 0.0) {
        return std::nullopt;
    }
    const std::size_t index = m_first + static_cast<std::size_t>(shown);
    return index < std::min(m_order.size(), m_first + rowsInView()) ? std::optional(m_order[index])
                                                                    : std::nullopt;
}

figures::Hit TableBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    if (position.y() >= 0.0 && position.y() < rowHeight()) {
        hit.readOut = "click a heading to sort";
        return hit;
    }
    const auto row = rowAt(position.y());
    if (!row) {
        return hit;
    }
    if (*row < m_table.layers.size()) {
        hit.layer = m_table.layers[*row];
    }
    for (std::size_t c = 0; c < m_table.columns.size(); ++c) {
        hit.readOut +=
            (c == 0 ? "" : ", ") + m_table.columns[c].name + " " + cellText(*row, c).toStdString();
    }
    return hit;
}

std::vector<QRectF> TableBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    const double width = std::accumulate(m_widths.begin(), m_widths.end(), 0.0);
    const std::size_t last = std::min(m_order.size(), m_first + rowsInView());
    for (std::size_t i = m_first; selection.layer && i < last; ++i) {
        if (m_order[i] < m_table.layers.size() && m_table.layers[m_order[i]] == *selection.layer) {
            rects.emplace_back(0.0, rowHeight() * static_cast<double>(1 + i - m_first), width,
                               rowHeight());
        }
    }
    return rects;
}

bool TableBody::toggleAt(const QPointF& position) {
    if (position.y() < 0.0 || position.y() >= rowHeight()) {
        return false;
    }
    double right = 0.0;
    for (std::size_t c = 0; c < m_widths.size(); ++c) {
        right += m_widths[c];
        if (position.x() >= right) {
            continue;
        }
        if (m_memory->sortColumn != c) {
            m_memory->sortColumn = c;
            m_memory->isDescending = !isText(m_table.columns[c]);  // the largest first
        } else if (m_memory->isDescending == isText(m_table.columns[c])) {
            m_memory->sortColumn.reset();
        } else {
            m_memory->isDescending = !m_memory->isDescending;
        }
        sort();
        chooseFont();
        return true;
    }
    return false;
}

}  // namespace moescope::widgets
