// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

namespace moescope::widgets {

/// A table: texts on the left, numbers on the right of their columns with four significant digits
/// (the CSV has all), a rule below the heading and above the summary. A click on a heading sorts,
/// another turns the order round, a third restores it; a click on a row of a layer goes there.
/// Longer than the window, it scrolls by rows.
class TableBody final : public FigureBody {
public:
    TableBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style,
              std::shared_ptr<ChartMemory> memory);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] std::vector<QRectF> outlines(const figures::Selection& selection) const override;
    bool toggleAt(const QPointF& position) override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;

private:
    [[nodiscard]] std::size_t sortedRows() const { return m_table.rows - m_table.summaryRows; }
    [[nodiscard]] double rowHeight() const;
    [[nodiscard]] QString cellText(std::size_t row, std::size_t column) const;
    [[nodiscard]] QString headingText(std::size_t column) const;
    [[nodiscard]] std::vector<double> widthsIn(const QFont& font) const;
    [[nodiscard]] std::size_t rowsInView() const;
    [[nodiscard]] std::optional<std::size_t> rowAt(double y) const;
    void chooseFont();
    void sort();
    void paintRow(QPainter& painter, double top, const std::vector<QString>& cells,
                  const QColor& colour) const;
    void paintRule(QPainter& painter, double y) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::TableFigure& m_table;
    FigureStyle m_style;
    std::shared_ptr<ChartMemory> m_memory;
    QFont m_font;
    int m_digits = 4;  ///< significant ones of numbers
    QSizeF m_size;
    std::vector<double> m_widths;      ///< of columns, gap included
    std::vector<std::size_t> m_order;  ///< rows as they are shown, without the summary
    std::size_t m_first = 0;           ///< of m_order in view
};

}  // namespace moescope::widgets
