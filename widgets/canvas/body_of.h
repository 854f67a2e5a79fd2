// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/canvas/figure_body.h"
#include "widgets/canvas/figure_style.h"

#include <memory>
#include <utility>
#include <variant>

namespace moescope::widgets {

/// A body of one kind of figure: it keeps the figure alive, whose data it draws, and the style.
template <typename Data>
class BodyOf : public FigureBody {
protected:
    /// The figure's body must be of this kind.
    BodyOf(std::shared_ptr<const figures::Figure> figure, FigureStyle style)
        : m_figure(std::move(figure)),
          m_data(std::get<Data>(m_figure->body)),
          m_style(std::move(style)) {}

    [[nodiscard]] const figures::Figure& figure() const { return *m_figure; }
    [[nodiscard]] const Data& data() const { return m_data; }
    [[nodiscard]] const FigureStyle& style() const { return m_style; }

private:
    std::shared_ptr<const figures::Figure> m_figure;
    const Data& m_data;
    FigureStyle m_style;
};

}  // namespace moescope::widgets
