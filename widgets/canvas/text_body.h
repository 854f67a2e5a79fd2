// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/token_flow.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/token_look.h"

namespace moescope::widgets {

/// A text whose tokens can be made larger and smaller, in whole steps.
class ZoomedTextBody : public FigureBody {
public:
    bool zoom(int direction) override;
    [[nodiscard]] int zoomLevel() const override { return m_zoom; }

protected:
    /// 0 is the style's size.
    struct ZoomSteps {
        int smallest = -3, largest = 6;
    };
    explicit ZoomedTextBody(int zoomLevel) : m_zoom(zoomLevel) {}
    ZoomedTextBody(int zoomLevel, ZoomSteps steps) : m_zoom(zoomLevel), m_steps(steps) {}

private:
    int m_zoom = 0;
    ZoomSteps m_steps;
};

/// Line breaks and the place in the text, kept from one body to the next: a layer step changes
/// colours, not lines.
struct FlowMemory {
    std::shared_ptr<const figures::TokenTable> tokens;
    figures::TokenRange range;
    int columns = 0, narrowest = 0;
    figures::TokenFlow flow;
    std::uint64_t topToken = 0;  ///< the first one in view
};

/// A range of a text that scrolls by lines under a head (a legend, a colour bar). Nothing here
/// grows with the text: only lines near the view are broken, placed and painted. A file has about a
/// page of it, and says which tokens are left out.
class TextBody : public ZoomedTextBody {
public:
    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    [[nodiscard]] std::optional<figures::Hit> step(const figures::Selection& from, int dx,
                                                   int dy) const override;
    [[nodiscard]] QString cardAt(const QPointF& position) const override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;
    [[nodiscard]] std::int64_t stepOf(std::uint64_t token) const override;
    [[nodiscard]] std::optional<figures::TokenRange> tokensInView() const override;

protected:
    TextBody(std::shared_ptr<const figures::TokenTable> tokens, figures::TokenRange range,
             FigureStyle style, int zoomLevel, std::shared_ptr<FlowMemory> memory);

    [[nodiscard]] virtual const TokenLook& look() const = 0;
    /// Of the head, the gap below included.
    [[nodiscard]] virtual double headHeight(double width) const = 0;
    virtual void layoutHead(double width) = 0;
    virtual void paintHead(QPainter& painter) const = 0;
    [[nodiscard]] virtual figures::Hit headHit(const QPointF& position) const;
    [[nodiscard]] virtual std::optional<QRectF> headOutline(
        const figures::Selection& selection) const;
    virtual void paintLine(QPainter& painter, const figures::FlowLine& line,
                           const QRectF& area) const = 0;
    [[nodiscard]] virtual figures::Hit hitOf(std::uint64_t token) const = 0;
    [[nodiscard]] virtual QString cardOf(std::uint64_t token) const = 0;

    [[nodiscard]] const figures::TokenTable& tokens() const { return *m_tokens; }
    [[nodiscard]] figures::TokenFlow& flow() const { return m_memory->flow; }
    [[nodiscard]] const FigureStyle& style() const { return m_style; }

private:
    /// Of a file, as many as a page has room for; of a window all.
    [[nodiscard]] std::uint64_t linesOfFile(double width) const;
    /// What a file leaves out; empty: nothing.
    [[nodiscard]] QString cutText(double width) const;
    [[nodiscard]] figures::TokenFlow& flowFor(double width) const;
    [[nodiscard]] std::int64_t page() const;
    [[nodiscard]] figures::FlowLine lastTop() const;
    void setTop(const figures::FlowLine& line);
    [[nodiscard]] std::optional<std::uint64_t> tokenAt(const QPointF& position) const;

    std::shared_ptr<const figures::TokenTable> m_tokens;
    figures::TokenRange m_range;
    FigureStyle m_style;
    QSizeF m_size;
    double m_linesTop = 0.0;
    std::shared_ptr<FlowMemory> m_memory;
    figures::FlowLine m_top;  // the first line in view
};

}  // namespace moescope::widgets
