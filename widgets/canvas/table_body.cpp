// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/table_body.h"

#include "widgets/support/format.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using figures::TableColumn;

constexpr double kTallestFile = 950.0;   // about a page of paper
constexpr std::size_t kRowsOfFile = 50;  // at least, however high they are

bool isText(const TableColumn& column) {
    return column.kind == TableColumn::Kind::Text;
}

/// Before in the order of a column; what is not available comes last in either order.
bool isBefore(const TableColumn& by, bool isDescending, std::size_t a, std::size_t b) {
    if (isText(by)) {
        return isDescending ? by.texts[b] < by.texts[a] : by.texts[a] < by.texts[b];
    }
    if (std::isnan(by.numbers[a]) || std::isnan(by.numbers[b])) {
        return !std::isnan(by.numbers[a]) && std::isnan(by.numbers[b]);
    }
    return isDescending ? by.numbers[b] < by.numbers[a] : by.numbers[a] < by.numbers[b];
}

}  // namespace

TableBody::TableBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
                     std::shared_ptr<ChartMemory> memory)
    : m_figure(std::move(figure)),
      m_table(std::get<figures::TableFigure>(m_figure->body)),
      m_style(std::move(style)),
      m_memory(std::move(memory)),
      m_texts(m_table, *m_memory) {
    order();
}

void TableBody::order() {
    m_items.clear();
    const std::size_t rows = m_texts.sortedRows();
    const auto column = m_memory->sortColumn;
    const bool isSorted = column && *column < m_table.columns.size();
    auto section = m_table.sections.begin();
    for (std::size_t row = 0; row < rows; ++row) {
        for (; !isSorted && section != m_table.sections.end() && section->firstRow <= row;
             ++section) {
            m_items.push_back({true, static_cast<std::size_t>(section - m_table.sections.begin())});
        }
        m_items.push_back({false, row});
    }
    if (isSorted) {
        const TableColumn& by = m_table.columns[*column];
        std::stable_sort(m_items.begin(), m_items.end(), [&](const Item& a, const Item& b) {
            return isBefore(by, m_memory->isDescending, a.index, b.index);
        });
    }
}

double TableBody::heightOf(const TableLayout& layout, const Item& item) {
    return item.isSection ? layout.sectionHeights[item.index] : layout.rowHeight(item.index);
}

// Heading and summary, which are always in view.
double TableBody::fixedHeight(const TableLayout& layout) const {
    double height = layout.headingHeight + 2.0 + layout.leftOutHeight;
    for (std::size_t row = m_texts.sortedRows(); row < m_table.rows; ++row) {
        height += layout.rowHeight(row);
    }
    return height;
}

// A file of more than a page of rows is of no use: what is left out is said.
std::size_t TableBody::itemsDrawn(const TableLayout& layout) const {
    if (!m_style.isFile) {
        return m_items.size();
    }
    double height = fixedHeight(layout);
    std::size_t rows = 0;
    for (std::size_t i = 0; i < m_items.size(); ++i) {
        height += heightOf(layout, m_items[i]);
        if (rows >= kRowsOfFile && height > kTallestFile) {
            return i;
        }
        rows += m_items[i].isSection ? 0 : 1;
    }
    return m_items.size();
}

double TableBody::naturalHeight(double width) const {
    const TableLayout layout = layOutTable(m_texts, m_style, width);
    const std::size_t drawn = itemsDrawn(layout);
    double height = fixedHeight(layout) + (drawn < m_items.size() ? layout.lineHeight : 0.0);
    for (std::size_t i = 0; i < drawn; ++i) {
        height += heightOf(layout, m_items[i]);
    }
    return std::ceil(height);
}

// Of a file that has not all rows, how many; empty: it has.
QString TableBody::cutText(const std::vector<Placed>& items) const {
    const auto shown = static_cast<std::uint64_t>(std::count_if(
        items.begin(), items.end(), [](const Placed& placed) { return !placed.item.isSection; }));
    if (!m_style.isFile || items.size() == m_items.size()) {
        return {};
    }
    return QStringLiteral("%1 of %2 rows; the CSV has them all.")
        .arg(formatCount(shown), formatCount(m_texts.sortedRows()));
}

void TableBody::resize(const QSizeF& size) {
    m_size = size;
    m_layout = layOutTable(m_texts, m_style, size.width());
    scrollTo(scrollPosition());
}

std::vector<TableBody::Placed> TableBody::itemsInView() const {
    std::vector<Placed> placed;
    const double bottom =
        m_layout.headingHeight + std::max(m_size.height() - fixedHeight(m_layout), 0.0) + 0.5;
    const std::size_t end = itemsDrawn(m_layout);
    double top = m_layout.headingHeight;
    for (std::size_t i = m_first; i < end; ++i) {
        const double height = heightOf(m_layout, m_items[i]);
        if (!placed.empty() && top + height > bottom) {
            break;
        }
        placed.push_back({m_items[i], top, height});
        top += height;
    }
    return placed;
}

// The first item in view when the last one is.
std::size_t TableBody::lastFirstItem() const {
    double room = std::max(m_size.height() - fixedHeight(m_layout), 0.0) + 0.5;
    std::size_t first = m_items.size();
    while (first > 0 && heightOf(m_layout, m_items[first - 1]) <= room) {
        room -= heightOf(m_layout, m_items[--first]);
    }
    return std::min(first, std::max<std::size_t>(m_items.size(), 1) - 1);
}

FigureBody::Scroll TableBody::scroll() const {
    if (m_layout.columns.empty()) {
        return {};
    }
    const std::size_t last = lastFirstItem();
    return last == 0 ? Scroll{}
                     : Scroll{static_cast<std::int64_t>(last),
                              static_cast<std::int64_t>(m_items.size() - last)};
}

void TableBody::scrollTo(std::int64_t step) {
    m_first = static_cast<std::size_t>(std::clamp<std::int64_t>(step, 0, scroll().steps));
}

std::int64_t TableBody::scrollPosition() const {
    return static_cast<std::int64_t>(m_first);
}

void TableBody::paintCells(QPainter& painter, double top, double height,
                           const std::vector<QString>& cells, const QColor& colour,
                           const QColor& lastColour) const {
    double x = 0.0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const TableColumn& column = m_table.columns[m_layout.columns[i]];
        const double gap = i == 0 ? 0.0 : kTableGap;
        const QRectF room(x + gap, top + m_layout.textTop, m_layout.widths[i] - gap, height);
        const auto side = isText(column) ? Qt::AlignLeft : Qt::AlignRight;
        painter.setPen(i + 1 == cells.size() ? lastColour : colour);
        painter.drawText(
            room,
            static_cast<int>(side | Qt::AlignTop) |
                (column.wraps ? static_cast<int>(wrapFlag(m_layout.font, cells[i], room.width()))
                              : 0),
            cells[i]);
        x += m_layout.widths[i];
    }
}

// One of several lines stands on the rule, as the others do.
void TableBody::paintHeadings(QPainter& painter) const {
    painter.setFont(m_layout.font);
    painter.setPen(m_style.theme.secondaryText);
    double x = 0.0;
    for (std::size_t i = 0; i < m_layout.columns.size(); ++i) {
        const double gap = i == 0 ? 0.0 : kTableGap;
        const auto side =
            isText(m_table.columns[m_layout.columns[i]]) ? Qt::AlignLeft : Qt::AlignRight;
        painter.drawText(
            QRectF(x + gap, 0.0, m_layout.widths[i] - gap,
                   m_layout.headingHeight - m_layout.textTop),
            static_cast<int>(side | Qt::AlignBottom) | static_cast<int>(Qt::TextWordWrap),
            m_texts.heading(m_layout.columns[i]));
        x += m_layout.widths[i];
    }
}

void TableBody::paintTableRow(QPainter& painter, double top, std::size_t row) const {
    std::vector<QString> cells;
    for (const std::size_t column : m_layout.columns) {
        cells.push_back(m_texts.drawnCell(row, column));
    }
    const bool isFlagged = std::binary_search(m_table.flagged.begin(), m_table.flagged.end(), row);
    const QColor& colour = m_style.theme.text;
    painter.setFont(m_layout.font);
    paintCells(painter, top, m_layout.cellHeights[row], cells, colour,
               isFlagged ? m_style.theme.error : colour);
    const QString note = m_texts.note(row);
    if (!note.isEmpty()) {
        painter.setFont(m_layout.noteFont);
        painter.setPen(m_style.theme.secondaryText);
        painter.drawText(QRectF(m_layout.noteIndent, top + m_layout.cellHeights[row] - 2.0,
                                m_layout.noteWidth, m_layout.noteHeights[row]),
                         Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, note);
    }
}

void TableBody::paintRule(QPainter& painter, double y) const {
    const double width =
        m_table.notes.empty() ? m_layout.width() : m_layout.noteIndent + m_layout.noteWidth;
    painter.setPen(QPen(m_style.theme.axis, 0.67));
    painter.drawLine(QPointF(0.0, y), QPointF(width, y));
}

void TableBody::paint(QPainter& painter) const {
    painter.save();
    const std::vector<Placed> items = itemsInView();
    if (!items.empty() && items.back().top + items.back().height > m_size.height() + 1.0) {
        painter.setClipRect(QRectF(QPointF(0, 0), m_size));  // a row higher than the window
    }
    paintHeadings(painter);
    paintRule(painter, m_layout.headingHeight - 0.5);
    double top = m_layout.headingHeight;
    for (const Placed& placed : items) {
        if (placed.item.isSection) {
            painter.setFont(m_layout.sectionFont);
            painter.setPen(m_style.theme.text);
            painter.drawText(QRectF(0.0, placed.top, m_size.width(), placed.height),
                             Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap,
                             QString::fromStdString(m_table.sections[placed.item.index].title));
        } else {
            paintTableRow(painter, placed.top, placed.item.index);
        }
        top = placed.top + placed.height;
    }
    if (const QString cut = cutText(items); !cut.isEmpty()) {
        painter.setFont(m_layout.noteFont);
        painter.setPen(m_style.theme.secondaryText);
        painter.drawText(QRectF(0.0, top + m_layout.textTop, m_size.width(), m_layout.lineHeight),
                         Qt::AlignLeft | Qt::AlignTop, cut);
        top += m_layout.lineHeight;
    }
    if (m_table.summaryRows > 0) {
        paintRule(painter, top + 0.5);
        top += 1.0;
    }
    for (std::size_t row = m_texts.sortedRows(); row < m_table.rows; ++row) {
        paintTableRow(painter, top, row);
        top += m_layout.rowHeight(row);
    }
    if (!m_layout.leftOut.isEmpty()) {
        painter.setFont(m_layout.noteFont);
        painter.setPen(m_style.theme.secondaryText);
        painter.drawText(QRectF(0.0, top + 2.0, m_size.width(), m_layout.leftOutHeight),
                         Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_layout.leftOut);
    }
    painter.restore();
}

figures::Hit TableBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    if (position.y() >= 0.0 && position.y() < m_layout.headingHeight) {
        hit.readOut = "click a heading to sort";
        return hit;
    }
    for (const Placed& placed : itemsInView()) {
        const double y = position.y() - placed.top;
        if (placed.item.isSection || y < 0.0 || y >= placed.height) {
            continue;
        }
        const std::size_t row = placed.item.index;
        if (row < m_table.layers.size() && m_table.layers[row].value >= 0) {
            hit.layer = m_table.layers[row];
        }
        if (row < m_table.experts.size() && m_table.experts[row] >= 0) {
            hit.expert = m_table.experts[row];
        }
        if (row < m_table.tokens.size()) {
            hit.token = m_table.tokens[row];
        }
        for (const std::size_t column : m_layout.columns) {
            hit.readOut += (hit.readOut.empty() ? "" : ", ") + m_table.columns[column].name + " " +
                           m_texts.cell(row, column).toStdString();
        }
    }
    return hit;
}

// All that a row is of is selected: its layer, expert and token, as far as it has them.
bool TableBody::isSelected(std::size_t row, const figures::Selection& selection) const {
    const bool hasLayer = row < m_table.layers.size() && m_table.layers[row].value >= 0;
    const bool hasExpert = row < m_table.experts.size() && m_table.experts[row] >= 0;
    const bool hasToken = row < m_table.tokens.size();
    return (hasLayer || hasExpert || hasToken) &&
           (!hasLayer || selection.layer == m_table.layers[row]) &&
           (!hasExpert || selection.expert == m_table.experts[row]) &&
           (!hasToken || selection.token == m_table.tokens[row]);
}

std::vector<QRectF> TableBody::outlines(const figures::Selection& selection) const {
    std::vector<QRectF> rects;
    for (const Placed& placed : itemsInView()) {
        if (!placed.item.isSection && isSelected(placed.item.index, selection)) {
            rects.emplace_back(0.0, placed.top, m_layout.width(), placed.height);
        }
    }
    return rects;
}

bool TableBody::toggleAt(const QPointF& position) {
    if (position.y() < 0.0 || position.y() >= m_layout.headingHeight) {
        return false;
    }
    double right = 0.0;
    for (std::size_t i = 0; i < m_layout.widths.size(); ++i) {
        right += m_layout.widths[i];
        if (position.x() >= right) {
            continue;
        }
        const std::size_t column = m_layout.columns[i];
        const bool isTextual = isText(m_table.columns[column]);
        if (m_memory->sortColumn != column) {
            m_memory->sortColumn = column;
            m_memory->isDescending = !isTextual;  // the largest first
        } else if (m_memory->isDescending == isTextual) {
            m_memory->sortColumn.reset();
        } else {
            m_memory->isDescending = !m_memory->isDescending;
        }
        order();
        resize(m_size);
        return true;
    }
    return false;
}

}  // namespace moescope::widgets
