// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figures_area.h"

#include "core/figures/request.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_panel.h"

#include <QGridLayout>
#include <QTabBar>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

/// Full titles stand in the figures; eight tabs want short ones.
QString tabTitle(const figures::FigureInfo& info) {
    const std::pair<std::string_view, QString> kShort[] = {
        {"weight-similarity", FiguresArea::tr("Weights")},
        {"mean-neuron-similarity", FiguresArea::tr("Mean neurons")},
        {"parameters", FiguresArea::tr("Parameters")},
        {"output-similarity", FiguresArea::tr("Outputs")},
        {"norms-scores", FiguresArea::tr("Norms and scores")},
        {"rank-counts", FiguresArea::tr("Rank counts")},
        {"chosen-experts", FiguresArea::tr("Routing")},
        {"coloured-text", FiguresArea::tr("Text")}};
    for (const auto& [name, title] : kShort) {
        if (name == info.name) {
            return title;
        }
    }
    return QString::fromUtf8(info.title.data(), static_cast<qsizetype>(info.title.size()));
}

}  // namespace

FiguresArea::FiguresArea(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_tabs(new QTabBar(this)),
      m_stage(new QWidget(this)),
      m_grid(new QGridLayout(m_stage)) {
    setObjectName(QStringLiteral("figuresArea"));
    m_tabs->setObjectName(QStringLiteral("figureTabs"));
    m_tabs->setAccessibleName(tr("Figures"));
    m_tabs->setDocumentMode(true);
    m_tabs->setDrawBase(true);
    m_tabs->setExpanding(false);
    m_tabs->setUsesScrollButtons(true);
    m_tabs->setElideMode(Qt::ElideNone);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(4);
    for (const figures::FigureInfo& info : figures::figureCatalogue()) {
        auto* panel = new FigurePanel(info, workspace, m_stage);
        connect(panel, &FigurePanel::runRequested, this, &FiguresArea::runRequested);
        m_panels.append(panel);
        const QString title =
            QString::fromUtf8(info.title.data(), static_cast<qsizetype>(info.title.size()));
        const int tab = m_tabs->addTab(tabTitle(info));
        m_tabs->setTabToolTip(tab, tr("%1 (key %2)").arg(title).arg(tab + 1));
    }
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_tabs);
    column->addWidget(m_stage, 1);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        arrange();
        Q_EMIT currentChanged(index);
    });
    arrange();
}

FigurePanel* FiguresArea::current() const {
    return m_panels.value(m_tabs->currentIndex());
}

void FiguresArea::setCurrent(int index) {
    if (index >= 0 && index < m_tabs->count()) {
        m_tabs->setCurrentIndex(index);
    }
}

void FiguresArea::setTiled(bool tiled) {
    if (tiled != m_tiled) {
        m_tiled = tiled;
        arrange();
    }
}

QList<int> FiguresArea::tilesShown() const {
    const int current = std::max(0, m_tabs->currentIndex());
    if (!m_tiled) {
        return {current};
    }
    const int count = static_cast<int>(m_panels.size());
    const int first = std::clamp(current / kTiles * kTiles, 0, std::max(0, count - kTiles));
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
