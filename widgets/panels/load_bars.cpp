// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/load_bars.h"

#include "core/figures/geometry.h"
#include "widgets/support/format.h"
#include "widgets/support/theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <numeric>

namespace moescope::widgets {
namespace {

constexpr int kHeight = 72;
constexpr double kGapShare = 0.2;

}  // namespace

LoadBars::LoadBars(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("loadBars"));
    setAccessibleName(tr("Tokens per expert"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void LoadBars::setLoad(std::vector<std::uint64_t> load, int selected) {
    m_load = std::move(load);
    m_selected = selected;
    update();
}

QSize LoadBars::sizeHint() const {
    return {160, kHeight + fontMetrics().height()};
}

double LoadBars::barsHeight() const {
    return height() - fontMetrics().height();
}

QRectF LoadBars::barRect(std::size_t expert) const {
    const std::uint64_t top = std::max<std::uint64_t>(
        1, m_load.empty() ? 1 : *std::max_element(m_load.begin(), m_load.end()));
    const double slot = static_cast<double>(width()) / static_cast<double>(m_load.size());
    const double gap = slot >= 4.0 ? slot * kGapShare : 0.0;
    const double tall =
        static_cast<double>(m_load[expert]) / static_cast<double>(top) * (barsHeight() - 2);
    return {static_cast<double>(expert) * slot + gap / 2, barsHeight() - tall, slot - gap, tall};
}

int LoadBars::barAt(const QPoint& position) const {
    if (m_load.empty() || !rect().contains(position)) {
        return -1;
    }
    const double slot = static_cast<double>(width()) / static_cast<double>(m_load.size());
    return std::clamp(static_cast<int>(position.x() / slot), 0,
                      static_cast<int>(m_load.size()) - 1);
}

void LoadBars::paintEvent(QPaintEvent* /*event*/) {
    const Theme theme = Theme::fromPalette(palette());
    QPainter painter(this);
    if (m_load.empty()) {
        return;
    }
    const int count = static_cast<int>(m_load.size());
    for (std::size_t expert = 0; expert < m_load.size(); ++expert) {
        const bool selected = static_cast<int>(expert) == m_selected;
        const QRectF bar = barRect(expert);
        const int index = static_cast<int>(expert);
        painter.fillRect(bar, selected ? theme.expertColour(index, count)
                                       : theme.expertBackground(index, count));
        if (selected) {
            painter.setPen(QPen(theme.accent, 2.0));
            painter.drawRect(bar.adjusted(1, 1, -1, -1));
        }
    }
    const double even =
        static_cast<double>(std::accumulate(m_load.begin(), m_load.end(), std::uint64_t{0})) /
        static_cast<double>(count);
    const double top = static_cast<double>(
        std::max<std::uint64_t>(1, *std::max_element(m_load.begin(), m_load.end())));
    const double y = barsHeight() - even / top * (barsHeight() - 2);
    painter.setPen(QPen(theme.secondaryText, 1.0, Qt::DashLine));
    painter.drawLine(QPointF(0, y), QPointF(width(), y));
    paintNumbers(painter, theme);
}

// Colours do not tell experts apart alone.
void LoadBars::paintNumbers(QPainter& painter, const Theme& theme) const {
    const double slot = static_cast<double>(width()) / static_cast<double>(m_load.size());
    const int widest =
        fontMetrics().horizontalAdvance(QString::number(m_load.size() - 1) + QLatin1Char(' '));
    const std::size_t every = figures::thinning(m_load.size(), slot, widest);
    painter.setPen(theme.secondaryText);
    for (std::size_t expert = 0; every > 0 && expert < m_load.size(); expert += every) {
        const double middle = (static_cast<double>(expert) + 0.5) * slot;
        painter.drawText(
            QRectF(middle - widest, barsHeight(), 2.0 * widest, fontMetrics().height()),
            Qt::AlignHCenter | Qt::AlignBottom, QString::number(expert));
    }
}

void LoadBars::mousePressEvent(QMouseEvent* event) {
    const int expert = barAt(event->position().toPoint());
    if (expert >= 0) {
        Q_EMIT expertClicked(expert);
    }
}

bool LoadBars::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int expert = barAt(help->pos());
        if (expert >= 0) {
            QToolTip::showText(help->globalPos(),
                               tr("Expert %1: %2 tokens (dashed: even share)")
                                   .arg(QString::number(expert),
                                        formatCount(m_load[static_cast<std::size_t>(expert)])),
                               this);
            return true;
        }
    }
    return QWidget::event(event);
}

}  // namespace moescope::widgets
