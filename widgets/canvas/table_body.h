// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"
#include "widgets/canvas/table_layout.h"

namespace moescope::widgets {

/// A table: texts on the left, numbers on the right of their columns, in each with as many decimals
/// (the CSV has all), a rule below the heading and above the summary, notes in small print below
/// their rows. A click on a heading sorts, another turns the order round, a third restores it with
/// the headings of sections; a click on a row selects its layer, expert and token. Longer than the
/// window, it scrolls by rows.
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
    /// What is scrolled over: a row, or the heading of a section.
    struct Item {
        bool isSection = false;
        std::size_t index = 0;
    };
    /// An item in view.
    struct Placed {
        Item item;
        double top = 0.0, height = 0.0;
    };

    [[nodiscard]] static double heightOf(const TableLayout& layout, const Item& item);
    [[nodiscard]] double fixedHeight(const TableLayout& layout) const;
    [[nodiscard]] std::vector<Placed> itemsInView() const;
    [[nodiscard]] std::size_t lastFirstItem() const;
    [[nodiscard]] std::size_t itemsDrawn(const TableLayout& layout) const;
    [[nodiscard]] QString cutText(const std::vector<Placed>& items) const;
    [[nodiscard]] bool isSelected(std::size_t row, const figures::Selection& selection) const;
    void order();
    void paintCells(QPainter& painter, double top, double height, const std::vector<QString>& cells,
                    const QColor& colour, const QColor& lastColour) const;
    void paintHeadings(QPainter& painter) const;
    void paintTableRow(QPainter& painter, double top, std::size_t row) const;
    void paintRule(QPainter& painter, double y) const;

    std::shared_ptr<const figures::Figure> m_figure;
    const figures::TableFigure& m_table;
    FigureStyle m_style;
    std::shared_ptr<ChartMemory> m_memory;
    TableTexts m_texts;
    TableLayout m_layout;
    QSizeF m_size;
    std::vector<Item> m_items;  ///< as they are shown, without the summary
    std::size_t m_first = 0;    ///< of m_items in view
};

}  // namespace moescope::widgets
