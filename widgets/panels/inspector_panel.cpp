// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/inspector_panel.h"

#include "widgets/models/summary_text.h"
#include "widgets/panels/busy_line.h"
#include "widgets/panels/message_bar.h"
#include "widgets/support/format.h"

#include <QLabel>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr std::size_t kTopTokens = 200;

using PathPointer = std::shared_ptr<const TokenPath>;
using FactsPointer = std::shared_ptr<const ExpertFacts>;

/// Facts with the token table, which is also made on the lane.
struct ExpertAnswer {
    FactsPointer facts;
    std::shared_ptr<const figures::TokenTable> tokens;
};

int maxExperts(const SelectionBounds& bounds) {
    return bounds.layerExperts.empty()
               ? 0
               : *std::max_element(bounds.layerExperts.begin(), bounds.layerExperts.end());
}

}  // namespace

InspectorPanel::InspectorPanel(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_title(new QLabel(this)),
      m_subtitle(new QLabel(this)),
      m_messages(new MessageBar(this)),
      m_pages(new QStackedWidget(this)),
      m_modelPage(new PropertyPage(QStringLiteral("modelCardTable"), this)),
      m_tokenPage(new TokenPage(this)),
      m_expertPage(new ExpertPage(this)),
      m_pairPage(new PairPage(this)),
      m_runner(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("inspectorPanel"));
    build();
    Selection& selection = m_workspace.selection();
    connect(&m_workspace, &Workspace::currentChanged, this, &InspectorPanel::refresh);
    connect(&selection, &Selection::changed, this, &InspectorPanel::takeSelection);
    const auto goToLayer = [&selection](int layer) { selection.setLayer(LayerId{layer}); };
    connect(m_tokenPage, &TokenPage::layerChosen, &selection, goToLayer);
    connect(m_pairPage, &PairPage::layerChosen, &selection, goToLayer);
    connect(m_tokenPage, &TokenPage::expertChosen, &selection, [&selection](int layer, int expert) {
        selection.setLayer(LayerId{layer});
        selection.setExperts({expert});
    });
    connect(m_expertPage, &ExpertPage::expertChosen, &selection,
            [&selection](int expert) { selection.setExperts({expert}); });
    connect(m_expertPage, &ExpertPage::cardRequested, this, &InspectorPanel::cardRequested);
    connect(m_expertPage, &ExpertPage::tokenChosen, &selection,
            [&selection](quint64 token) { selection.selectToken(token); });
}

void InspectorPanel::build() {
    m_title->setObjectName(QStringLiteral("inspectorTitle"));
    QFont large = m_title->font();
    large.setPointSizeF(large.pointSizeF() * 1.25);
    m_title->setFont(large);
    m_title->setTextFormat(Qt::PlainText);
    m_title->setWordWrap(true);
    m_subtitle->setObjectName(QStringLiteral("inspectorSubtitle"));
    m_subtitle->setTextFormat(Qt::PlainText);
    m_subtitle->setWordWrap(true);
    m_subtitle->setForegroundRole(QPalette::PlaceholderText);
    m_pages->setObjectName(QStringLiteral("inspectorPages"));
    for (QWidget* page :
         std::initializer_list<QWidget*>{m_modelPage, m_tokenPage, m_expertPage, m_pairPage}) {
        m_pages->addWidget(page);
    }
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 8);
    column->setSpacing(8);
    column->addWidget(m_title);
    column->addWidget(m_subtitle);
    column->addWidget(new BusyLine(m_runner, this));
    column->addWidget(m_messages);
    column->addWidget(m_pages, 1);
}

void InspectorPanel::setHeading(const QString& title, const QString& subtitle) {
    m_title->setText(title);
    m_subtitle->setText(subtitle);
    m_subtitle->setVisible(!subtitle.isEmpty());
}

void InspectorPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_stale) {
        refresh();
    }
}

void InspectorPanel::takeSelection(SelectionChanges changes) {
    const SelectionState& state = m_workspace.selection().state();
    const bool onlyLayer = changes == SelectionChanges(SelectionChange::Layer);
    if (onlyLayer && state.focus == Focus::Token) {
        m_tokenPage->setLayer(state.layer);
    } else if (onlyLayer && state.focus == Focus::Pair) {
        m_pairPage->setLayer(state.layer);
    } else if (!onlyLayer || state.focus == Focus::Expert) {
        refresh();
    }
}

void InspectorPanel::refresh() {
    m_stale = !isVisible();
    if (m_stale) {
        return;
    }
    const SessionSnapshot session = m_workspace.current();
    m_messages->clear();
    m_runner.cancel();
    if (!session) {
        m_modelPage->setProperties({});
        m_pages->setCurrentWidget(m_modelPage);
        setHeading({}, tr("The selected token, expert or pair is described here."));
        return;
    }
    switch (m_workspace.selection().state().focus) {
        case Focus::Model:
            showModel(session);
            break;
        case Focus::Token:
            requestToken(session);
            break;
        case Focus::Expert:
            requestExpert(session);
            break;
        case Focus::Pair:
            requestPair(session);
            break;
    }
}

void InspectorPanel::showModel(const SessionSnapshot& session) {
    setHeading(QString::fromStdString(session->head().model.name), {});
    m_modelPage->setProperties(modelCard(session->head()));
    m_pages->setCurrentWidget(m_modelPage);
    if (!session->content.warnings.isEmpty()) {
        m_messages->showMessage(MessageBar::Kind::Warning,
                                tr("The analysis left %n warning(s).", nullptr,
                                   static_cast<int>(session->content.warnings.size())),
                                session->content.warnings.join(QLatin1Char('\n')));
    }
}

void InspectorPanel::fail(const Problem& problem) {
    m_messages->showProblem(problem);
    m_modelPage->setProperties({});
    m_pages->setCurrentWidget(m_modelPage);
}

void InspectorPanel::requestToken(const SessionSnapshot& session) {
    const std::uint64_t token = m_workspace.selection().currentToken().value_or(0);
    const BranchId branch = m_workspace.selection().state().branch;
    setHeading(tr("Token %1 \"%2\"").arg(token).arg(tokenText(session->head(), token)), {});
    m_runner.run<PathPointer>(
        [source = session->content.source, branch, token](const std::stop_token& stop) {
            return std::make_shared<const TokenPath>(readTokenPath(*source, branch, token, stop));
        },
        [this, session](const Outcome<PathPointer>& outcome) {
            if (!outcome.ok()) {
                fail(outcome.problem());
                return;
            }
            const PathPointer& path = outcome.value();
            const auto& sources = session->head().corpus.sources;
            const QString document = path->document < sources.size()
                                         ? QString::fromStdString(sources[path->document])
                                         : QString::number(path->document);
            m_subtitle->setText(tr("%1, position %2").arg(document).arg(path->position));
            m_subtitle->show();
            m_tokenPage->setPath(path, maxExperts(m_workspace.selection().bounds()));
            m_tokenPage->setLayer(m_workspace.selection().state().layer);
            m_pages->setCurrentWidget(m_tokenPage);
        });
}

void InspectorPanel::requestExpert(const SessionSnapshot& session) {
    const SelectionState& state = m_workspace.selection().state();
    const int expert = state.experts.front();
    const LayerId layer = state.layer;
    setHeading(tr("Expert %1").arg(expert), tr("Layer %1").arg(layer.value));
    if (!m_workspace.selection().layerIsRouted()) {
        m_messages->showMessage(MessageBar::Kind::Info,
                                tr("Layer %1 is dense: no router").arg(layer.value));
        m_expertPage->setFacts(nullptr, nullptr);
        m_pages->setCurrentWidget(m_expertPage);
        return;
    }
    m_runner.run<ExpertAnswer>(
        [content = session->content, branch = state.branch, layer,
         expert](const std::stop_token& stop) {
            return ExpertAnswer{std::make_shared<const ExpertFacts>(readExpertFacts(
                                    *content.source, branch, layer, expert, kTopTokens, stop)),
                                content.builder->tokens()};
        },
        [this](const Outcome<ExpertAnswer>& outcome) {
            if (!outcome.ok()) {
                fail(outcome.problem());
                return;
            }
            m_expertPage->setFacts(outcome.value().facts, outcome.value().tokens);
            m_pages->setCurrentWidget(m_expertPage);
        },
        WorkLane::Priority::Soon);  // the figure comes first
}

void InspectorPanel::requestPair(const SessionSnapshot& session) {
    const SelectionState& state = m_workspace.selection().state();
    setHeading(tr("Pair %1 and %2").arg(state.pair->row, state.pair->column),
               tr("Similarities by layer: 1 = the same direction"));
    m_runner.run<PairModel::Series>(
        [source = session->content.source, branch = state.branch,
         row = state.pair->row.toStdString(),
         column = state.pair->column.toStdString()](const std::stop_token& stop) {
            return std::make_shared<const std::vector<PairSeries>>(
                readPair(*source, branch, row, column, stop));
        },
        [this](const Outcome<PairModel::Series>& outcome) {
            if (!outcome.ok()) {
                fail(outcome.problem());
                return;
            }
            m_pairPage->setSeries(outcome.value());
            m_pairPage->setLayer(m_workspace.selection().state().layer);
            m_pages->setCurrentWidget(m_pairPage);
        });
}

}  // namespace moescope::widgets
