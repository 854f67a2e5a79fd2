// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/routing_layout.h"
#include "widgets/canvas/figure_style.h"
#include "widgets/canvas/text_body.h"

namespace moescope::widgets {

/// Token x expert map of routing weights. Only the rows in view are painted; zoomed out, several
/// tokens share a row and the largest weight shows.
class RoutingMapBody final : public ZoomedTextBody {
public:
    RoutingMapBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style, int zoomLevel);

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

private:
    [[nodiscard]] figures::RoutingLayout layoutFor(double width,
                                                   std::optional<double> height) const;
    [[nodiscard]] double rowHeight() const;
    [[nodiscard]] double mapWidth(double width) const;  ///< without the colour bar
    [[nodiscard]] std::uint64_t rowsInAll() const;
    [[nodiscard]] std::string readOutOf(std::uint64_t row) const;
    [[nodiscard]] std::optional<std::uint64_t> rowOfTokenInView(std::uint64_t token) const;
    /// Of the one model, or of the two that are compared.
    [[nodiscard]] std::vector<const figures::Routing*> routings() const;
    void paintBlock(QPainter& painter, int block) const;
    void paintHead(QPainter& painter, const QRectF& area, int map) const;
    void paintWeights(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows, int map) const;
    void paintWeightImage(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows,
                          int map) const;
    void paintAgreement(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows) const;
    void paintTokens(QPainter& painter, std::uint64_t firstRow, std::uint64_t rows) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::RoutingMapFigure& m_map;
    FigureStyle m_style;
    figures::RoutingLayout m_layout;
    double m_widestLabel = 0.0;
    double m_bodyHeight = 0.0;
    std::uint64_t m_firstRow = 0;  // of all rows, the first in view
};

}  // namespace moescope::widgets
