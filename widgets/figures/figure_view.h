// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "core/figures/hit.h"

#include <QAbstractScrollArea>

#include <memory>
#include <optional>

namespace moescope::widgets {

/// Shows one figure, any kind, and answers the mouse and the keyboard. Drawn by the code that
/// exports it, in the colours of the widget's palette. Short figures fit the widget; texts and
/// routing maps scroll, and only what is visible is laid out. Arrow keys move between tokens, cells
/// or bars when it has the focus; Ctrl+wheel changes the size of tokens. GUI thread only.
class FigureView : public QAbstractScrollArea {
    Q_OBJECT
public:
    explicit FigureView(QWidget* parent = nullptr);
    ~FigureView() override;

    /// nullptr shows nothing. Scroll position and size are kept when the figure is of the same
    /// kind.
    void setFigure(std::shared_ptr<const figures::Figure> figure);
    [[nodiscard]] const std::shared_ptr<const figures::Figure>& figure() const;

    /// Title, caption and how-to-read line, as the exported figure has them (default on). Off for
    /// the text strip.
    void setTitleVisible(bool visible);
    void setCaptionVisible(bool visible);

    /// Outlines what is selected; does not scroll.
    void setSelection(const figures::Selection& selection);
    [[nodiscard]] const figures::Selection& selection() const;
    void ensureTokenVisible(std::uint64_t token);
    /// Tokens that are drawn now; nothing where tokens have no place, or no figure is shown.
    [[nodiscard]] std::optional<figures::TokenRange> tokensInView() const;
    /// The range chosen by dragging over tokens; empty by default.
    void clearTokenRange();

    /// What lies at a point of the viewport (for tests and tooltips).
    [[nodiscard]] figures::Hit hitAt(const QPointF& viewportPosition) const;

    /// Puts the figure on the clipboard: PNG at twice the size, SVG and CSV.
    void copyToClipboard() const;

    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    /// What is under the cursor; an empty text when nothing is.
    void hovered(const QString& readOut);
    /// A cell of a similarity map or of rank counts. Indices are rows of the map; its labels say
    /// which expert or baseline they are.
    void pairClicked(int row, int column);
    void tokenClicked(std::uint64_t token);
    /// A column of a routing map, a bar of a token, an expert in the legend of the coloured text.
    void expertClicked(int expert);
    /// The same, twice: all about this expert is wanted.
    void expertActivated(int expert);
    void layerClicked(int layer);
    void tokenRangeSelected(std::uint64_t first, std::uint64_t count);

protected:
    bool viewportEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;

private:
    bool keyForView(const QKeyEvent& event);
    bool pageKey(const QKeyEvent& event);

    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace moescope::widgets
