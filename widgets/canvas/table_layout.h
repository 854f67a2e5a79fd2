// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/chart_memory.h"
#include "widgets/canvas/figure_style.h"

#include <QString>

#include <vector>

namespace moescope::widgets {

/// How the numbers of a column are written: all with as many decimals, so that they stand below one
/// another and their digits do not depend on the room. Where rows have notes each is a quantity of
/// its own, and shows three digits.
struct NumberFormat {
    int decimals = 0;
    bool isScientific = false;  ///< mantissa and exponent: all values are minute
    double least = 0.0;         ///< what is nearer to 0 is written as "<0.001"
};
/// Three significant digits of the largest magnitude; more where the middle half of the values
/// differs in less; none that are 0 in all of them, but leastDecimals. NaN and infinity do not
/// count.
[[nodiscard]] NumberFormat numberFormatOf(const std::vector<double>& values, int leastDecimals = 0);

/// The texts of a table as they are drawn.
class TableTexts {
public:
    TableTexts(const figures::TableFigure& table, const ChartMemory& memory);
    [[nodiscard]] const figures::TableFigure& table() const { return m_table; }
    /// Rows that are sorted and scrolled: all but the summary.
    [[nodiscard]] std::size_t sortedRows() const { return m_table.rows - m_table.summaryRows; }
    [[nodiscard]] QString cell(std::size_t row, std::size_t column) const;
    /// The same as it is drawn: a context, whose blanks are marks, may be broken before each.
    [[nodiscard]] QString drawnCell(std::size_t row, std::size_t column) const;
    /// With an arrow on the column that the rows are sorted by.
    [[nodiscard]] QString heading(std::size_t column) const;
    [[nodiscard]] QString note(std::size_t row) const;  ///< empty: none

private:
    const figures::TableFigure& m_table;
    const ChartMemory& m_memory;
    std::vector<NumberFormat> m_formats;  // of the columns
};

/// How wide the columns and how high the rows of a table are at a width: headings and columns that
/// may be broken into lines give way first, then the size of the font; at last columns from the
/// right, wide texts before numbers, which the table names below.
struct TableLayout {
    QFont font, noteFont, sectionFont;
    std::vector<std::size_t> columns;  ///< those drawn
    QString leftOut;                   ///< says which ones there is no room for; empty: none
    double leftOutHeight = 0.0;
    std::vector<double> widths;       ///< of them, the gap before each included
    std::vector<double> cellHeights;  ///< [rows], without the notes
    std::vector<double> noteHeights;  ///< [rows]; 0: none
    double headingHeight = 0.0;
    double lineHeight = 0.0;  ///< of a row of one line
    double textTop = 0.0;     ///< of a cell's first line in its row
    std::vector<double> sectionHeights;
    double noteIndent = 0.0, noteWidth = 0.0;

    [[nodiscard]] double width() const;  ///< of all columns
    [[nodiscard]] double rowHeight(std::size_t row) const {
        return cellHeights[row] + noteHeights[row];
    }
};

/// How a text is broken into lines of this width: between words, or anywhere where one is too long.
[[nodiscard]] Qt::TextFlag wrapFlag(const QFont& font, const QString& text, double width);

constexpr double kTableGap = 7.0;  ///< before a column, at least

[[nodiscard]] TableLayout layOutTable(const TableTexts& texts, const FigureStyle& style,
                                      double width);

}  // namespace moescope::widgets
