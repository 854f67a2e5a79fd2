// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/parameters_body.h"

#include "widgets/support/format.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moescope::widgets {
namespace {

constexpr double kBar = 7.0;
constexpr double kWidest = 760.0;
constexpr double kSectionGap = 8.0;
constexpr double kSmallestStep = 0.005;
constexpr double kColumnGap = 12.0;
constexpr double kNarrowestBars = 40.0;
constexpr int kSmallestFont = 8;  // 6 pt in print

double ratio(double part, double whole) {
    return whole > 0.0 ? part / whole : 0.0;
}

}  // namespace

ParametersBody::ParametersBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
    : BodyOf(std::move(figure), std::move(style)) {
    addComponents();
    addCurve(QStringLiteral("tokens in a batch"), QStringLiteral("expert weights touched"),
             data().batchTokens, data().touchedExpertBytes, &formatBytes);
    addCurve(QStringLiteral("tokens in context"), QStringLiteral("operations per token"),
             data().contextTokens, data().operationsPerToken, &formatShortCount);
}

void ParametersBody::addComponents() {
    const auto sum = [](const std::vector<std::uint64_t>& values) {
        return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
    };
    const std::uint64_t all = sum(data().total);
    const std::uint64_t active = sum(data().active);
    const std::uint64_t most =
        data().total.empty() ? 0 : *std::max_element(data().total.begin(), data().total.end());
    const auto add = [&](const QString& name, std::uint64_t total, std::uint64_t used, bool isSum) {
        Row row;
        row.name = name;
        row.total = formatShortCount(double(total));
        row.share = formatPercent(ratio(double(total), double(all)));
        row.active = formatShortCount(double(used));
        row.totalBar = isSum ? 0.0 : ratio(double(total), double(most));
        row.activeBar = isSum ? 0.0 : ratio(double(used), double(most));
        row.isSum = isSum;
        row.readOut = QStringLiteral("%1: %2 parameters, %3 active per token")
                          .arg(name, formatCount(total), formatCount(used))
                          .toStdString();
        m_rows.push_back(row);
    };
    Row heading;
    heading.isHeading = true;
    heading.name = QStringLiteral("component");
    heading.total = QStringLiteral("all");
    heading.share = QStringLiteral("share");
    heading.active = QStringLiteral("active per token");
    m_rows.push_back(heading);
    for (std::size_t i = 0; i < data().components.size(); ++i) {
        if (data().total[i] > 0) {
            add(QString::fromStdString(data().components[i]), data().total[i], data().active[i],
                false);
        }
    }
    add(QStringLiteral("sum"), all, active, true);
}

void ParametersBody::addCurve(const QString& name, const QString& what,
                              const std::vector<std::uint64_t>& tokens,
                              const std::vector<double>& values, QString (*format)(double)) {
    if (tokens.empty()) {
        return;
    }
    Row heading;
    heading.isHeading = true;
    heading.name = name;
    heading.total = what;
    m_rows.push_back(heading);
    const double most = *std::max_element(values.begin(), values.end());
    double shown = 0.0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        // Points that differ from the last one shown by less than a bar shows say nothing.
        const bool isEnd = i == 0 || i + 1 == tokens.size();
        if (!isEnd && std::abs(values[i] - shown) < kSmallestStep * most) {
            continue;
        }
        shown = values[i];
        Row row;
        row.name = formatCount(tokens[i]);
        row.total = format(values[i]);
        row.totalBar = ratio(values[i], most);
        row.readOut = QStringLiteral("%1 %2: %3")
                          .arg(row.name, name, row.total + QLatin1Char(' ') + what)
                          .toStdString();
        m_rows.push_back(row);
    }
}

double ParametersBody::rowHeight() const {
    return style().lineHeight() + 7.0;
}

double ParametersBody::naturalHeight(double /*width*/) const {
    const auto headings =
        std::count_if(m_rows.begin(), m_rows.end(), [](const Row& row) { return row.isHeading; });
    return rowHeight() * double(m_rows.size()) + kSectionGap * double(headings);
}

void ParametersBody::resize(const QSizeF& size) {
    m_size = QSizeF(std::min(size.width(), kWidest), size.height());
    m_font = fontFor(m_size.width());
    m_columns = columnsIn(m_font);
    scrollTo(scrollPosition());
}

template <typename Visit>
void ParametersBody::forEachVisibleRow(Visit visit) const {
    constexpr double kRounding = 1.0;
    double top = 0.0;
    for (std::size_t i = m_firstRow; i < m_rows.size(); ++i) {
        top += m_rows[i].isHeading && top > 0.0 ? kSectionGap : 0.0;
        if (top + rowHeight() > m_size.height() + kRounding) {
            return;
        }
        visit(m_rows[i], top);
        top += rowHeight();
    }
}

void ParametersBody::paint(QPainter& painter) const {
    forEachVisibleRow([&](const Row& row, double top) { paintRow(painter, row, top); });
}

FigureBody::Scroll ParametersBody::scroll() const {
    if (naturalHeight(m_size.width()) <= m_size.height() + 1.0) {
        return {};
    }
    // Gaps between sections cost up to two rows more than the rows in view suggest.
    const auto page =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(m_size.height() / rowHeight()) - 2);
    return {std::max<std::int64_t>(static_cast<std::int64_t>(m_rows.size()) - page, 0), page};
}

void ParametersBody::scrollTo(std::int64_t step) {
    m_firstRow = static_cast<std::size_t>(std::clamp<std::int64_t>(step, 0, scroll().steps));
}

std::int64_t ParametersBody::scrollPosition() const {
    return static_cast<std::int64_t>(m_firstRow);
}

ParametersBody::Columns ParametersBody::columnsIn(const QFont& font) const {
    const QFontMetricsF metrics(font);
    const auto widen = [&metrics](double& width, const QString& text) {
        if (!text.isEmpty()) {
            width = std::max(width, metrics.horizontalAdvance(text) + kColumnGap);
        }
    };
    Columns columns;
    for (const Row& row : m_rows) {
        const bool ofCurve = row.isHeading && row.share.isEmpty();  // its text runs on
        widen(columns.name, row.name);
        widen(columns.total, ofCurve ? QString() : row.total);
        widen(columns.share, row.share);
        widen(columns.active, row.active);
    }
    return columns;
}

QFont ParametersBody::fontFor(double width) const {
    QFont font = style().font;
    const int smallest = std::min(kSmallestFont, style().fontPx);
    for (int size = style().fontPx; size > smallest && columnsIn(font).sum() > width;) {
        font.setPixelSize(--size);
    }
    return font;
}

void ParametersBody::paintTexts(QPainter& painter, const Row& row, double top) const {
    const double height = rowHeight();
    const QFontMetricsF metrics(m_font);
    painter.setFont(m_font);
    painter.setPen(row.isHeading ? style().theme.secondaryText : style().theme.text);
    double x = 0.0;
    const auto cell = [&](double width, const QString& text, Qt::Alignment align) {
        painter.drawText(QRectF(x, top, width, height), static_cast<int>(align | Qt::AlignVCenter),
                         metrics.elidedText(text, Qt::ElideRight, width));
        x += width;
    };
    cell(m_columns.name, row.name, Qt::AlignLeft);
    if (row.isHeading && row.share.isEmpty()) {
        x += kColumnGap;
        cell(m_size.width() - x, row.total, Qt::AlignLeft);
        return;
    }
    cell(m_columns.total, row.total, Qt::AlignRight);
    cell(m_columns.share, row.share, Qt::AlignRight);
    cell(m_columns.active, row.active, Qt::AlignRight);
}

void ParametersBody::paintBars(QPainter& painter, const Row& row, double top, double left) const {
    const double room = m_size.width() - left;
    if (row.totalBar <= 0.0 || room < kNarrowestBars) {
        return;
    }
    const double y = top + (rowHeight() - kBar) / 2.0;
    const bool ofCurve = row.active.isEmpty();
    painter.fillRect(QRectF(left, y, room * row.totalBar, kBar),
                     ofCurve ? style().theme.barPrimary : style().theme.grid);
    if (!ofCurve) {
        painter.fillRect(QRectF(left, y, room * row.activeBar, kBar), style().theme.barPrimary);
    }
}

void ParametersBody::paintRow(QPainter& painter, const Row& row, double top) const {
    paintTexts(painter, row, top);
    const bool ofCurve = row.active.isEmpty();
    paintBars(painter, row, top,
              (ofCurve ? m_columns.name + m_columns.total : m_columns.sum()) + kColumnGap);
    if (row.isHeading || row.isSum) {
        const double y = row.isSum ? top : top + rowHeight() - 1.0;
        painter.setPen(QPen(style().theme.axis, 0.5));
        painter.drawLine(QPointF(0.0, y), QPointF(m_size.width(), y));
    }
}

figures::Hit ParametersBody::hitAt(const QPointF& position) const {
    figures::Hit hit;
    forEachVisibleRow([&](const Row& row, double top) {
        if (position.y() >= top && position.y() < top + rowHeight() && !row.isHeading) {
            hit.readOut = row.readOut;
        }
    });
    return hit;
}

}  // namespace moescope::widgets
