// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figures_area.h"

#include "core/figures/request.h"
#include "widgets/panels/figure_panel.h"

#include <QGridLayout>

#include <algorithm>
#include <utility>

namespace moescope::widgets {

FiguresArea::FiguresArea(Workspace& workspace, QWidget* parent)
    : QWidget(parent), m_grid(new QGridLayout(this)) {
    setObjectName(QStringLiteral("figuresArea"));
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(4);
    for (const figures::FigureInfo& info : figures::figureCatalogue()) {
        auto* panel = new FigurePanel(info, workspace, this);
        connect(panel, &FigurePanel::runRequested, this, &FiguresArea::runRequested);
        connect(panel, &FigurePanel::listRequested, this, &FiguresArea::listRequested);
        connect(panel, &FigurePanel::openRequested, this, &FiguresArea::openRequested);
        connect(panel, &FigurePanel::cardRequested, this, &FiguresArea::cardRequested);
        connect(panel, &FigurePanel::pruneChosen, this,
                [this, panel](const figures::PruneChoice& choice) {
                    // The same experts would go in all figures.
                    for (FigurePanel* other : std::as_const(m_panels)) {
                        if (other != panel && other->info().prunes) {
                            other->setPrune(choice);
                        }
                    }
                });
        m_panels.append(panel);
    }
    arrange();
}

FigurePanel* FiguresArea::current() const {
    return m_panels.value(m_current);
}

void FiguresArea::setCurrent(int index) {
    if (index >= 0 && index < m_panels.size() && index != m_current) {
        m_current = index;
        arrange();
        Q_EMIT currentChanged(index);
    }
}

void FiguresArea::setTiled(bool tiled) {
    if (tiled != m_tiled) {
        m_tiled = tiled;
        arrange();
    }
}

QList<int> FiguresArea::tilesShown() const {
    if (!m_tiled) {
        return {m_current};
    }
    const int count = static_cast<int>(m_panels.size());
    const int first = std::clamp(m_current / kTiles * kTiles, 0, std::max(0, count - kTiles));
    QList<int> shown;
    for (int i = first; i < std::min(count, first + kTiles); ++i) {
        shown.append(i);
    }
    return shown;
}

void FiguresArea::arrange() {
    const QList<int> shown = tilesShown();
    for (int i = 0; i < m_panels.size(); ++i) {
        m_grid->removeWidget(m_panels.at(i));
        if (!shown.contains(i)) {
            m_panels.at(i)->hide();
        }
    }
    for (int place = 0; place < shown.size(); ++place) {
        FigurePanel* panel = m_panels.at(shown.at(place));
        m_grid->addWidget(panel, place / 2, place % 2);
        panel->setTile(m_tiled);
        panel->show();
    }
}

}  // namespace moescope::widgets
