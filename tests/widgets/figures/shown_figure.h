// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/catch.h"
#include "widgets/figures/figure_view.h"

#include <QApplication>
#include <QMouseEvent>
#include <QTest>
#include <QWheelEvent>

namespace moescope::tests {

/// A view of a figure, shown offscreen.
struct Shown {
    explicit Shown(std::shared_ptr<const figures::Figure> figure, QSize size = {900, 600}) {
        view.resize(size);
        view.setFigure(std::move(figure));
        view.show();
        QTest::qWait(1);
    }
    /// The first point whose hit satisfies the condition.
    template <typename Condition>
    QPoint find(Condition condition) const {
        for (int y = 2; y < view.viewport()->height(); y += 3) {
            for (int x = 2; x < view.viewport()->width(); x += 3) {
                if (condition(view.hitAt(QPointF(x, y)))) {
                    return {x, y};
                }
            }
        }
        FAIL("nothing found");
        return {};
    }
    /// The middle of all points whose hit satisfies the condition.
    template <typename Condition>
    QPoint middle(Condition condition) const {
        QPointF sum;
        int count = 0;
        for (int y = 0; y < view.viewport()->height(); ++y) {
            for (int x = 0; x < view.viewport()->width(); ++x) {
                if (condition(view.hitAt(QPointF(x, y)))) {
                    sum += QPointF(x, y);
                    ++count;
                }
            }
        }
        REQUIRE(count > 0);
        return (sum / count).toPoint();
    }
    void wheel(QPoint at, int notches) {
        QWheelEvent event(QPointF(at), view.mapToGlobal(QPointF(at)), {}, QPoint(0, 120 * notches),
                          Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(view.viewport(), &event);
    }
    void drag(QPoint from, QPoint to) {
        QTest::mousePress(view.viewport(), Qt::LeftButton, Qt::NoModifier, from);
        QMouseEvent move(QEvent::MouseMove, QPointF(to), QPointF(view.mapToGlobal(to)),
                         Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(view.viewport(), &move);
        QTest::mouseRelease(view.viewport(), Qt::LeftButton, Qt::NoModifier, to);
    }
    QImage picture() { return view.grab().toImage(); }
    void click(QPoint at) {
        QTest::mouseClick(view.viewport(), Qt::LeftButton, Qt::NoModifier, at);
    }
    widgets::FigureView view;
};

}  // namespace moescope::tests
