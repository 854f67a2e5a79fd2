// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/body_of.h"

namespace moescope::widgets {

/// One expert's sections in one to three columns, each below the shortest one so far. Higher than
/// the window, it scrolls by lines; a row that speaks of an expert, a layer or a token leads there.
class ExpertCardBody final : public BodyOf<figures::ExpertCardFigure> {
public:
    ExpertCardBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;

private:
    struct Layout {
        std::vector<QRectF> sections;
        double height = 0.0;
    };
    /// Columns of a section's rows.
    struct Columns {
        double label = 0.0, bar = 0.0, value = 0.0, text = 0.0;  ///< widths
    };

    [[nodiscard]] Layout layoutFor(double width) const;
    [[nodiscard]] double sectionHeight(const figures::CardSection& section, double width) const;
    [[nodiscard]] double line() const;
    [[nodiscard]] Columns columnsOf(const figures::CardSection& section, double width) const;
    [[nodiscard]] static QString valueText(const figures::CardSection& section, double value);
    /// Lines of a row: what stands behind its value stands below it where there is no room.
    [[nodiscard]] int linesOf(const figures::CardSection& section, std::size_t row,
                              const Columns& columns) const;
    /// Where a row is, and in a strip its bar, with `area` that of the section.
    [[nodiscard]] QRectF rowRect(const figures::CardSection& section, std::size_t row,
                                 const QRectF& area) const;
    void paintSection(QPainter& painter, const figures::CardSection& section,
                      const QRectF& area) const;
    void paintRow(QPainter& painter, const figures::CardSection& section, std::size_t index,
                  const QRectF& area, const Columns& columns, double most) const;
    void paintStrip(QPainter& painter, const figures::CardSection& section, const QRectF& area,
                    double most) const;

    QSizeF m_size;
    Layout m_layout;
    std::int64_t m_scrolled = 0;
};

}  // namespace moescope::widgets
