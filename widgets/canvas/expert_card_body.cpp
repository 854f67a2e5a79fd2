// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/expert_card_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::widgets {
namespace {

using figures::CardRow;
using figures::CardSection;

constexpr double kColumn = 280.0;  // least width of a column of sections
constexpr std::size_t kMostColumns = 3;
constexpr double kGap = 20.0;
constexpr double kBelow = 14.0;  // between sections
constexpr double kStrip = 56.0;  // height of the fullest bar
constexpr double kCell = 8.0;    // between the parts of a row
constexpr double kWidestStripBar = 24.0;
constexpr int kLongestLabel = 26;  // characters

QString toQString(const std::string& text) {
    return QString::fromStdString(text);
}

double mostOf(const CardSection& section) {
    double most = section.reference.value_or(0.0);
    for (const CardRow& row : section.rows) {
        most = std::isfinite(row.value) ? std::max(most, std::abs(row.value)) : most;
    }
    return most;
}

}  // namespace

ExpertCardBody::ExpertCardBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : BodyOf(std::move(figure), std::move(style)) {}

double ExpertCardBody::line() const {
    return style().lineHeight() + 3.0;
}

double ExpertCardBody::sectionHeight(const CardSection& section, double width) const {
    const double head = line() * (section.note.empty() ? 1.0 : 2.0);
    if (!section.missing.empty()) {
        const QRectF room(0, 0, width, 1e5);
        return head + std::ceil(QFontMetricsF(style().font)
                                    .boundingRect(room, Qt::AlignLeft | Qt::TextWordWrap,
                                                  toQString(section.missing))
                                    .height());
    }
    if (section.kind == CardSection::Kind::Strip) {
        return head + kStrip + line();
    }
    const Columns columns = columnsOf(section, width);
    int lines = 0;
    for (std::size_t row = 0; row < section.rows.size(); ++row) {
        lines += linesOf(section, row, columns);
    }
    return head + line() * lines;
}

int ExpertCardBody::linesOf(const CardSection& section, std::size_t row,
                            const Columns& columns) const {
    const double text =
        QFontMetricsF(style().font).horizontalAdvance(toQString(section.rows[row].text));
    // A context is cut, as it goes on anyway.
    return !section.rows[row].token && text > columns.text ? 2 : 1;
}

ExpertCardBody::Layout ExpertCardBody::layoutFor(double width) const {
    Layout layout;
    const double fitting = std::floor((width + kGap) / (kColumn + kGap));
    const auto columns =
        static_cast<std::size_t>(std::clamp(fitting, 1.0, static_cast<double>(kMostColumns)));
    const double column = std::max(
        (width - kGap * static_cast<double>(columns - 1)) / static_cast<double>(columns), 40.0);
    std::vector<double> bottoms(columns, 0.0);
    for (const CardSection& section : data().sections) {
        const auto shortest = std::min_element(bottoms.begin(), bottoms.end());
        const auto at = static_cast<double>(shortest - bottoms.begin());
        const double height = sectionHeight(section, column);
        layout.sections.emplace_back(at * (column + kGap), *shortest, column, height);
        *shortest += height + kBelow;
    }
    layout.height = std::max(*std::max_element(bottoms.begin(), bottoms.end()) - kBelow, 0.0);
    return layout;
}

double ExpertCardBody::naturalHeight(double width) const {
    return std::ceil(layoutFor(width).height);
}

void ExpertCardBody::resize(const QSizeF& size) {
    m_size = size;
    m_layout = layoutFor(size.width());
    scrollTo(m_scrolled);
}

QString ExpertCardBody::valueText(const CardSection& section, double value) {
    if (!std::isfinite(value)) {
        return {};
    }
    const bool isCount = value >= 1.0 && value == std::floor(value) && !section.isShare;
    return section.isShare ? formatPercent(value)
           : isCount       ? formatCount(static_cast<std::uint64_t>(value))
                           : formatValue(value);
}

ExpertCardBody::Columns ExpertCardBody::columnsOf(const CardSection& section, double width) const {
    const QFontMetricsF metrics(style().font);
    Columns columns;
    double text = 0.0;
    for (const CardRow& row : section.rows) {
        columns.label = std::max(columns.label, metrics.horizontalAdvance(toQString(row.label)));
        columns.value =
            std::max(columns.value, metrics.horizontalAdvance(valueText(section, row.value)));
        text = std::max(text, metrics.horizontalAdvance(toQString(row.text)));
    }
    columns.label = std::min(columns.label, metrics.averageCharWidth() * kLongestLabel) + kCell;
    columns.value += kCell;
    const double left = std::max(width - columns.label - columns.value, 0.0);
    const bool hasBars = section.kind == CardSection::Kind::Rows;
    // Bars give way to the text behind them, but not altogether.
    columns.bar = hasBars ? std::clamp(left - text - kCell, left * 0.15, left * 0.6) : 0.0;
    columns.text = std::max(left - columns.bar - kCell, 0.0);
    return columns;
}

QRectF ExpertCardBody::rowRect(const CardSection& section, std::size_t row,
                               const QRectF& area) const {
    const double top = area.top() + line() * (section.note.empty() ? 1.0 : 2.0);
    if (section.kind == CardSection::Kind::Strip) {
        const double bar =
            std::min(area.width() / static_cast<double>(section.rows.size()), kWidestStripBar);
        return {area.left() + static_cast<double>(row) * bar, top, bar, kStrip};
    }
    const Columns columns = columnsOf(section, area.width());
    int before = 0;
    for (std::size_t i = 0; i < row; ++i) {
        before += linesOf(section, i, columns);
    }
    return {area.left(), top + line() * before, area.width(),
            line() * linesOf(section, row, columns)};
}

void ExpertCardBody::paintRow(QPainter& painter, const CardSection& section, std::size_t index,
                              const QRectF& area, const Columns& columns, double most) const {
    const CardRow& row = section.rows[index];
    const QRectF whole = rowRect(section, index, area);
    const QRectF rect(whole.topLeft(), QSizeF(whole.width(), line()));
    const QFontMetricsF metrics(style().font);
    const int left = static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter);
    double x = rect.left();
    painter.setPen(style().theme.text);
    painter.drawText(QRectF(x, rect.top(), columns.label - 2.0, rect.height()), left,
                     metrics.elidedText(toQString(row.label), Qt::ElideRight, columns.label - 2.0));
    x += columns.label;
    if (columns.bar > 0.0) {
        const double length = most > 0.0 && std::isfinite(row.value)
                                  ? std::max(row.value, 0.0) / most * (columns.bar - kCell)
                                  : 0.0;
        const QColor colour = row.expert ? style().theme.expertColour(*row.expert, data().experts)
                                         : style().theme.barPrimary;
        painter.fillRect(QRectF(x, rect.top() + 3.0, length, rect.height() - 6.0), colour);
        if (section.reference && most > 0.0) {
            const double at = x + *section.reference / most * (columns.bar - kCell);
            painter.setPen(QPen(style().theme.text, 0.75, Qt::DashLine));
            painter.drawLine(QPointF(at, rect.top()), QPointF(at, rect.bottom()));
        }
        x += columns.bar;
    }
    painter.setPen(style().theme.text);
    painter.drawText(QRectF(x, rect.top(), columns.value - kCell, rect.height()),
                     static_cast<int>(Qt::AlignRight | Qt::AlignVCenter),
                     valueText(section, row.value));
    x += columns.value;
    painter.setPen(style().theme.secondaryText);
    const bool isBelow = whole.height() > rect.height();
    const QRectF room = isBelow ? QRectF(rect.left() + 2.0 * kCell, rect.bottom(),
                                         rect.width() - 2.0 * kCell, line())
                                : QRectF(x, rect.top(), columns.text, rect.height());
    painter.drawText(room, left,
                     metrics.elidedText(toQString(row.text), Qt::ElideRight, room.width()));
}

void ExpertCardBody::paintStrip(QPainter& painter, const CardSection& section, const QRectF& area,
                                double most) const {
    const QFontMetricsF metrics(style().font);
    double label = 0.0;
    for (std::size_t i = 0; i < section.rows.size(); ++i) {
        const QRectF rect = rowRect(section, i, area);
        const CardRow& row = section.rows[i];
        const double height =
            most > 0.0 && std::isfinite(row.value) ? row.value / most * kStrip : 0.0;
        const QRectF bar(rect.left(), rect.bottom() - height, std::max(rect.width() - 1.0, 0.8),
                         height);
        const bool isCurrent = section.current == i;
        painter.fillRect(bar, isCurrent ? style().theme.barPrimary : style().theme.missingHatch);
        if (isCurrent) {
            painter.setPen(QPen(style().theme.accent, 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(QRectF(bar.left() - 1.0, rect.top(), bar.width() + 2.0, kStrip + 1.0));
        }
        label = std::max(label, metrics.horizontalAdvance(toQString(row.label)) + 6.0);
    }
    if (section.rows.empty()) {
        return;
    }
    const QRectF first = rowRect(section, 0, area);
    const QRectF last = rowRect(section, section.rows.size() - 1, area);
    painter.setPen(QPen(style().theme.axis, 0.5));
    painter.drawLine(first.bottomLeft(), last.bottomRight());
    if (section.reference && most > 0.0) {
        const double y = first.bottom() - *section.reference / most * kStrip;
        painter.setPen(QPen(style().theme.text, 0.75, Qt::DashLine));
        painter.drawLine(QPointF(first.left(), y), QPointF(last.right(), y));
    }
    painter.setPen(style().theme.secondaryText);
    std::size_t thin = 1;
    while (static_cast<double>(thin) * first.width() < label) {
        thin *= 2;
    }
    for (std::size_t i = 0; i < section.rows.size(); i += thin) {
        const QRectF rect = rowRect(section, i, area);
        painter.drawText(QRectF(rect.center().x() - label, rect.bottom(), 2.0 * label, line()),
                         static_cast<int>(Qt::AlignHCenter | Qt::AlignTop),
                         toQString(section.rows[i].label));
    }
}

void ExpertCardBody::paintSection(QPainter& painter, const CardSection& section,
                                  const QRectF& area) const {
    const QFontMetricsF metrics(style().font);
    painter.setFont(style().font);
    painter.setPen(style().theme.text);
    painter.drawText(area, Qt::AlignLeft | Qt::AlignTop, toQString(section.title));
    painter.setPen(style().theme.secondaryText);
    painter.drawText(area.adjusted(0.0, line() - 3.0, 0.0, 0.0), Qt::AlignLeft | Qt::AlignTop,
                     metrics.elidedText(toQString(section.note), Qt::ElideRight, area.width()));
    painter.setPen(QPen(style().theme.grid, 0.75));
    const double head = area.top() + line() * (section.note.empty() ? 1.0 : 2.0) - 4.0;
    painter.drawLine(QPointF(area.left(), head), QPointF(area.right(), head));
    if (!section.missing.empty()) {
        painter.setPen(style().theme.secondaryText);
        painter.drawText(area.adjusted(0.0, head - area.top() + 4.0, 0.0, 2.0),
                         Qt::AlignLeft | Qt::TextWordWrap, toQString(section.missing));
        return;
    }
    const double most = mostOf(section);
    if (section.kind == CardSection::Kind::Strip) {
        paintStrip(painter, section, area, most);
        return;
    }
    const Columns columns = columnsOf(section, area.width());
    for (std::size_t row = 0; row < section.rows.size(); ++row) {
        paintRow(painter, section, row, area, columns, most);
    }
}

void ExpertCardBody::paint(QPainter& painter) const {
    painter.save();
    if (scroll().steps > 0) {
        painter.setClipRect(QRectF(QPointF(0, 0), m_size));
    }
    painter.translate(0.0, -static_cast<double>(m_scrolled) * line());
    for (std::size_t i = 0; i < m_layout.sections.size(); ++i) {
        paintSection(painter, data().sections[i], m_layout.sections[i]);
    }
    painter.restore();
}

figures::Hit ExpertCardBody::hitAt(const QPointF& position) const {
    const QPointF at = position + QPointF(0.0, static_cast<double>(m_scrolled) * line());
    figures::Hit hit;
    for (std::size_t s = 0; s < m_layout.sections.size(); ++s) {
        const CardSection& section = data().sections[s];
        for (std::size_t r = 0; r < section.rows.size() && m_layout.sections[s].contains(at); ++r) {
            if (!rowRect(section, r, m_layout.sections[s]).contains(at)) {
                continue;
            }
            const CardRow& row = section.rows[r];
            hit.expert = row.expert;
            hit.layer = row.layer;
            hit.token = row.token;
            const std::string value = valueText(section, row.value).toStdString();
            hit.readOut = section.title + ", " + row.label + (value.empty() ? "" : ": " + value) +
                          (row.text.empty() ? "" : ", " + row.text);
            return hit;
        }
    }
    return hit;
}

FigureBody::Scroll ExpertCardBody::scroll() const {
    const double beyond = m_layout.height - m_size.height();
    return {beyond > 1.0 ? static_cast<std::int64_t>(std::ceil(beyond / line())) : 0,
            std::max<std::int64_t>(1, static_cast<std::int64_t>(m_size.height() / line()))};
}

void ExpertCardBody::scrollTo(std::int64_t step) {
    m_scrolled = std::clamp<std::int64_t>(step, 0, scroll().steps);
}

std::int64_t ExpertCardBody::scrollPosition() const {
    return m_scrolled;
}

}  // namespace moescope::widgets
