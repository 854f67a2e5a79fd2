// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plots/plot_frame.h"

#include <qcustomplot.h>

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <utility>

namespace moescope::widgets {
namespace {

constexpr double kLinesPerTick = 2.0;
constexpr double kMostTicks = 6.0;

}  // namespace

PlotFrame::PlotFrame(FigureStyle style)
    : m_style(std::move(style)), m_plot(std::make_unique<QCustomPlot>()) {
    m_plot->plotLayout()->clear();
    m_plot->setBackground(Qt::NoBrush);
    m_plot->setNotAntialiasedElements(QCP::aeNone);
    m_plot->setAntialiasedElements(QCP::aeAll);
    m_plot->plotLayout()->setRowSpacing(8);
    m_plot->plotLayout()->setColumnSpacing(16);
    m_plot->setAutoAddPlottableToLegend(false);
}

PlotFrame::~PlotFrame() = default;

QCPAxisRect* PlotFrame::addAxisRect(int row, int column) {
    auto* rect = new QCPAxisRect(m_plot.get());  // owned by the plot's layout
    rect->setBackground(Qt::NoBrush);
    rect->setMinimumMargins(QMargins(2, 2, 2, 2));
    m_plot->plotLayout()->addElement(row, column, rect);
    for (QCPAxis* axis : rect->axes()) {
        styleAxis(axis);
    }
    rect->axis(QCPAxis::atTop)->setVisible(false);
    rect->axis(QCPAxis::atRight)->setVisible(false);
    rect->axis(QCPAxis::atBottom)->grid()->setVisible(false);
    return rect;
}

void PlotFrame::styleAxis(QCPAxis* axis) const {
    const QPen line(m_style.theme.axis, 0.67);
    axis->setBasePen(line);
    axis->setTickPen(line);
    axis->setSubTicks(false);
    axis->setTickLength(0, 3);
    axis->setTickLabelFont(m_style.font);
    axis->setLabelFont(m_style.font);
    axis->setTickLabelColor(m_style.theme.secondaryText);
    axis->setLabelColor(m_style.theme.text);
    axis->setTickLabelPadding(3);
    axis->setLabelPadding(3);
    axis->grid()->setPen(QPen(m_style.theme.grid, 0.67));
    axis->grid()->setZeroLinePen(Qt::NoPen);
    axis->grid()->setSubGridVisible(false);
    axis->grid()->setLayer(QStringLiteral("grid"));
    axis->setNumberFormat(QStringLiteral("gb"));
    axis->setNumberPrecision(6);
}

void PlotFrame::setScale(QCPAxis* axis, double high, double pixels, bool integral) const {
    const auto most = static_cast<std::size_t>(
        std::clamp(pixels / (kLinesPerTick * m_style.lineHeight()) + 1.0, 2.0, kMostTicks));
    const figures::Ticks ticks = figures::roundTicks(0.0, high, most, integral);
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (const double value : ticks.values) {
        ticker->addTick(value, QString::fromStdString(figures::tickText(value, ticks.step)));
    }
    axis->setTicker(ticker);
    axis->setRange(0.0, high);
}

void PlotFrame::record(const QSizeF& size) {
    m_picture = QPicture();
    const int width = std::max(1, static_cast<int>(std::floor(size.width())));
    const int height = std::max(1, static_cast<int>(std::floor(size.height())));
    // QCustomPlot replots itself later from the event loop; without a viewport of the same size its
    // axes would then move away from what was recorded.
    m_plot->setViewport(QRect(0, 0, width, height));
    QCPPainter painter(&m_picture);
    painter.setMode(QCPPainter::pmVectorized);
    m_plot->toPainter(&painter, width, height);
}

void PlotFrame::play(QPainter& painter) const {
    // A picture scales itself to the resolution of the device it is played on; figures are already
    // measured in their own units there, so that is undone (PDF has eight times the dots).
    const QPaintDevice* device = painter.device();
    painter.save();
    painter.scale(double(m_picture.logicalDpiX()) / device->logicalDpiX(),
                  double(m_picture.logicalDpiY()) / device->logicalDpiY());
    painter.drawPicture(QPointF(0, 0), m_picture);
    painter.restore();
}

}  // namespace moescope::widgets
