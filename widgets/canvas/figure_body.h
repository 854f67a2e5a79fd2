// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/hit.h"

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <QString>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

class QPainter;

namespace moescope::widgets {

/// The drawn part of a figure, without title and caption: one kind of figure, laid out for a size,
/// painted at the origin, asked what lies under a point. Screen and files use the same bodies. GUI
/// thread only.
class FigureBody {
public:
    FigureBody() = default;
    virtual ~FigureBody() = default;
    FigureBody(const FigureBody&) = delete;
    FigureBody& operator=(const FigureBody&) = delete;

    /// The height a file of this width needs; 0: any.
    [[nodiscard]] virtual double naturalHeight(double width) const = 0;
    /// Lays out for a size; what does not fit scrolls or shrinks.
    virtual void resize(const QSizeF& size) = 0;
    virtual void paint(QPainter& painter) const = 0;

    [[nodiscard]] virtual figures::Hit hitAt(const QPointF& position) const = 0;
    /// Rectangles to outline.
    [[nodiscard]] virtual std::vector<QRectF> outlines(const figures::Selection& selection) const;
    /// What lies one step from the selection, for the keyboard; nothing when it cannot be stepped.
    [[nodiscard]] virtual std::optional<figures::Hit> step(const figures::Selection& from, int dx,
                                                           int dy) const;
    /// A click that changes the drawing itself (a legend entry). True: repaint.
    virtual bool toggleAt(const QPointF& position);
    /// A card with more than the read-out, as rich text; empty: the read-out will do.
    [[nodiscard]] virtual QString cardAt(const QPointF& position) const;

    /// Scrolling, in steps (lines, tokens).
    struct Scroll {
        std::int64_t steps = 0;  ///< 0: nothing to scroll
        std::int64_t page = 1;
    };
    [[nodiscard]] virtual Scroll scroll() const;
    virtual void scrollTo(std::int64_t step);
    [[nodiscard]] virtual std::int64_t scrollPosition() const;
    /// Rows of tokens that are drawn now, first and one behind the last; nothing where tokens have
    /// no place.
    [[nodiscard]] virtual std::optional<figures::TokenRange> tokensInView() const;
    /// Where to scroll so that a token shows.
    [[nodiscard]] virtual std::int64_t stepOf(std::uint64_t token) const;
    /// Larger (+1) or smaller (-1) tokens. True when something changed.
    virtual bool zoom(int direction);
    [[nodiscard]] virtual int zoomLevel() const;

    // Of charts with a view of their own. Each is true when something changed.
    /// Enlarges around a point (factor above 1) or goes back.
    virtual bool zoomAt(const QPointF& position, double factor);
    /// Moves or turns what is shown with the mouse, a step of a drag.
    virtual bool drag(const QPointF& from, const QPointF& to);
    /// The same with the keyboard: steps to the right and downwards.
    virtual bool moveView(int dx, int dy);
    /// Shows all again.
    virtual bool resetView();
};

}  // namespace moescope::widgets
