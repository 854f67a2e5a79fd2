// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/canvas/body_of.h"

namespace moescope::widgets {

/// Parameter accounting as a table with bars: all and active parameters by component with their
/// sum, and below, the bytes of expert weights that a batch touches. No column is left out where it
/// is narrow: type gets smaller and bars go.
class ParametersBody final : public BodyOf<figures::ParametersFigure> {
public:
    ParametersBody(std::shared_ptr<const figures::Figure> figure, FigureStyle style);

    [[nodiscard]] double naturalHeight(double width) const override;
    void resize(const QSizeF& size) override;
    void paint(QPainter& painter) const override;
    [[nodiscard]] figures::Hit hitAt(const QPointF& position) const override;
    [[nodiscard]] Scroll scroll() const override;
    void scrollTo(std::int64_t step) override;
    [[nodiscard]] std::int64_t scrollPosition() const override;

private:
    struct Row {
        QString name, total, share, active;
        double totalBar = 0.0, activeBar = 0.0;  ///< of the full width
        bool isSum = false, isHeading = false;
        std::string readOut;
    };
    void addComponents();
    /// A section of one value for each number of tokens.
    void addCurve(const QString& name, const QString& what,
                  const std::vector<std::uint64_t>& tokens, const std::vector<double>& values,
                  QString (*format)(double));
    void paintRow(QPainter& painter, const Row& row, double top) const;
    /// Calls visit(row, top) for the rows that are in view, whole rows only.
    template <typename Visit>
    void forEachVisibleRow(Visit visit) const;
    [[nodiscard]] double rowHeight() const;
    /// Widths of the columns, measured in a font.
    struct Columns {
        double name = 0.0, total = 0.0, share = 0.0, active = 0.0;
        [[nodiscard]] double sum() const { return name + total + share + active; }
    };
    [[nodiscard]] Columns columnsIn(const QFont& font) const;
    /// The style's font, smaller where the columns would not fit otherwise, never below 6 pt.
    [[nodiscard]] QFont fontFor(double width) const;
    void paintTexts(QPainter& painter, const Row& row, double top) const;
    void paintBars(QPainter& painter, const Row& row, double top, double left) const;

    std::vector<Row> m_rows;
    std::size_t m_firstRow = 0;
    QSizeF m_size;
    QFont m_font;
    Columns m_columns;
};

}  // namespace moescope::widgets
