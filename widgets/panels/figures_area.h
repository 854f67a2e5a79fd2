// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QList>
#include <QWidget>

class QGridLayout;

namespace moescope::widgets {

class FigurePanel;

/// All figures, one at a time or four of them as tiles. *GUI thread only*.
class FiguresArea : public QWidget {
    Q_OBJECT
public:
    static constexpr int kTiles = 4;

    explicit FiguresArea(Workspace& workspace, QWidget* parent = nullptr);

    [[nodiscard]] const QList<FigurePanel*>& panels() const { return m_panels; }
    [[nodiscard]] FigurePanel* current() const;
    [[nodiscard]] int currentIndex() const { return m_current; }
    [[nodiscard]] bool isTiled() const { return m_tiled; }
    void setCurrent(int index);
    /// Tiles show the current figure and those beside it.
    void setTiled(bool tiled);

Q_SIGNALS:
    void currentChanged(int index);
    void runRequested(const QString& experiment);
    void listRequested(const moescope::widgets::FigurePointer& figure);
    void openRequested();
    void cardRequested();

private:
    void arrange();
    [[nodiscard]] QList<int> tilesShown() const;

    QGridLayout* m_grid;
    QList<FigurePanel*> m_panels;
    int m_current = 0;
    bool m_tiled = false;
};

}  // namespace moescope::widgets
