// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_panel.h"

#include "widgets/figures/figure_view.h"
#include "widgets/panels/figure_controls.h"
#include "widgets/panels/message_bar.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

constexpr std::uint64_t kMostTokensShown = 24;

FigurePointer buildFigure(const figures::FigureBuilder& builder,
                          const figures::FigureRequest& request) {
    return std::make_shared<const figures::Figure>(builder.build(request));
}

}  // namespace

FigurePanel::FigurePanel(const figures::FigureInfo& info, Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_info(info),
      m_workspace(workspace),
      m_controls(new FigureControls(info, this)),
      m_messages(new MessageBar(this)),
      m_view(new FigureView(this)),
      m_readOut(new QLabel(this)),
      m_runner(workspace.sessions().lane()),
      m_prefetcher(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("figurePanel_") + text(info.name));
    build();
    connectView();
    connect(m_controls, &FigureControls::changed, this, &FigurePanel::refresh);
    connect(m_messages, &MessageBar::actionTriggered, this,
            [this] { Q_EMIT runRequested(text(m_info.experiment)); });
    connect(&m_workspace, &Workspace::currentChanged, this, &FigurePanel::refresh);
    connect(&m_workspace.selection(), &Selection::changed, this, &FigurePanel::takeSelection);
}

FigurePanel::~FigurePanel() = default;

void FigurePanel::build() {
    m_view->setObjectName(QStringLiteral("figureView"));
    m_view->setAccessibleName(text(m_info.title));
    m_readOut->setObjectName(QStringLiteral("readOut"));
    m_readOut->setAccessibleName(tr("Value under the cursor"));
    m_readOut->setTextFormat(Qt::PlainText);
    m_readOut->setMinimumHeight(fontMetrics().height() + 4);
    m_readOut->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_controls);
    column->addWidget(m_messages);
    column->addWidget(m_view, 1);
    column->addWidget(m_readOut);
    setTile(false);
}

void FigurePanel::setTile(bool tile) {
    // A tile has no room for the definition under it; the tab and the help have it.
    m_view->setCaptionVisible(!tile);
    layout()->setContentsMargins(tile ? QMargins(4, 4, 4, 0) : QMargins(12, 8, 12, 4));
    layout()->setSpacing(tile ? 4 : 8);
}

void FigurePanel::connectView() {
    Selection& selection = m_workspace.selection();
    connect(m_view, &FigureView::hovered, m_readOut, &QLabel::setText);
    connect(m_view, &FigureView::pairClicked, this, &FigurePanel::selectPair);
    connect(m_view, &FigureView::tokenClicked, &selection,
            [&selection](std::uint64_t token) { selection.selectToken(token); });
    connect(m_view, &FigureView::expertClicked, &selection,
            [&selection](int expert) { selection.setExperts({expert}); });
    connect(m_view, &FigureView::layerClicked, &selection,
            [&selection](int layer) { selection.setLayer(LayerId{layer}); });
    connect(m_view, &FigureView::tokenRangeSelected, &selection,
            [&selection](std::uint64_t first, std::uint64_t count) {
                selection.setTokens({TokenRange{first, count}});
            });
}

FigurePointer FigurePanel::figure() const {
    return m_view->figure();
}

figures::FigureRequest FigurePanel::requestFor(std::optional<LayerId> layer) const {
    const SelectionState& state = m_workspace.selection().state();
    const FigureOptions options = m_controls->options();
    figures::FigureRequest request = options.form;
    request.figure = std::string(m_info.name);
    request.branch = state.branch;
    if (m_info.perLayer && (layer || !options.allLayers)) {
        request.layer = layer.value_or(state.layer);
    }
    request.tokens = tokensFor(options);
    request.ranks = ranksFor(options, request.layer);
    return request;
}

// The selected token; of a figure about single tokens as many of a selected range as can be read.
std::optional<figures::TokenRange> FigurePanel::tokensFor(const FigureOptions& options) const {
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    if (!token || !(m_info.needsToken || options.selectedToken)) {
        return std::nullopt;
    }
    const auto& ranges = m_workspace.selection().state().tokens;
    if (m_info.needsToken && ranges.size() == 1) {
        return figures::TokenRange{ranges.front().first,
                                   std::min(ranges.front().count, kMostTokensShown)};
    }
    return figures::TokenRange{*token, 1};
}

std::optional<figures::RankRange> FigurePanel::ranksFor(const FigureOptions& options,
                                                        std::optional<LayerId> layer) const {
    using Ranks = FigureOptions::Ranks;
    const auto& experts = m_workspace.selection().bounds().layerExperts;
    int all = 0;
    for (std::size_t i = 0; i < experts.size(); ++i) {
        const bool isAsked = !layer || static_cast<std::size_t>(layer->value) == i;
        all = isAsked ? std::max(all, experts[i]) : all;
    }
    const int wanted = options.ranks == Ranks::Largest16 ? 16 : 8;
    if (options.ranks == Ranks::All || all <= wanted) {
        return std::nullopt;
    }
    return options.ranks == Ranks::Smallest8 ? figures::RankRange{1, wanted}
                                             : figures::RankRange{all - wanted + 1, all};
}

bool FigurePanel::dependsOn(SelectionChanges changes) const {
    const SelectionChanges always = SelectionChange::Session | SelectionChange::Branch;
    const bool token = m_info.needsToken || m_controls->options().selectedToken;
    return changes.testAnyFlags(always) ||
           (changes.testFlag(SelectionChange::Layer) && m_info.perLayer) ||
           (changes.testFlag(SelectionChange::Tokens) && token);
}

void FigurePanel::takeSelection(SelectionChanges changes) {
    if (dependsOn(changes)) {
        refresh();
    }
    updateHighlight();
}

void FigurePanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_stale) {
        refresh();
    }
}

void FigurePanel::refresh() {
    m_stale = !isVisible();
    if (m_stale) {
        return;
    }
    const SessionSnapshot session = m_workspace.current();
    m_readOut->clear();
    if (!session) {
        m_runner.cancel();
        m_messages->clear();
        m_view->setFigure(nullptr);
    } else if (!isDrawable(*session, m_info)) {
        m_runner.cancel();
        m_view->setFigure(nullptr);
        showMissing();
    } else {
        request(session);
    }
}

void FigurePanel::showMissing() {
    const bool running = m_workspace.run().isRunning();
    m_messages->showMessage(
        MessageBar::Kind::Info,
        running ? tr("%1 will appear here as the analysis goes on.").arg(text(m_info.title))
                : tr("%1 is not in this session.").arg(text(m_info.title)));
    m_messages->setAction(running ? QString() : tr("Run now..."));
}

void FigurePanel::request(const SessionSnapshot& session) {
    const FigureKey key{session->id, session->revision, requestFor()};
    if (const FigurePointer cached = m_workspace.figures().find(key)) {
        m_runner.cancel();
        showFigure(cached);
        return;
    }
    m_prefetcher.cancel();
    m_runner.run<FigurePointer>(
        [builder = session->content.builder, request = key.request](const std::stop_token&) {
            return buildFigure(*builder, request);
        },
        [this, key](const Outcome<FigurePointer>& outcome) { take(key, outcome); });
}

void FigurePanel::take(const FigureKey& key, const Outcome<FigurePointer>& outcome) {
    if (!outcome.ok()) {
        m_view->setFigure(nullptr);
        m_messages->showProblem(outcome.problem());
        return;
    }
    m_workspace.figures().insert(key, outcome.value());
    showFigure(outcome.value());
}

void FigurePanel::showFigure(const FigurePointer& figure) {
    m_messages->clear();
    m_view->setFigure(figure);
    updateHighlight();
    Q_EMIT figureShown();
    // Routed layers on both sides, so that the next step of the slider is there already.
    m_ahead.clear();
    const Selection& selection = m_workspace.selection();
    const auto& routed = selection.bounds().layerIsRouted;
    for (const int step : {1, -1, 2, -2}) {
        const int layer = selection.state().layer.value + step;
        if (layer >= 0 && layer < static_cast<int>(routed.size()) &&
            routed[static_cast<std::size_t>(layer)]) {
            m_ahead.append(layer);
        }
    }
    prefetch();
}

void FigurePanel::prefetch() {
    const SessionSnapshot session = m_workspace.current();
    if (!session || !m_info.perLayer || m_controls->options().allLayers) {
        return;
    }
    while (!m_ahead.isEmpty()) {
        const FigureKey key{session->id, session->revision,
                            requestFor(LayerId{m_ahead.takeFirst()})};
        if (m_workspace.figures().find(key)) {
            continue;
        }
        m_prefetcher.run<FigurePointer>(
            [builder = session->content.builder, request = key.request](const std::stop_token&) {
                return buildFigure(*builder, request);
            },
            [this, key](const Outcome<FigurePointer>& outcome) {
                // A layer that cannot be drawn says so when the user goes there.
                if (outcome.ok()) {
                    m_workspace.figures().insert(key, outcome.value());
                }
                prefetch();
            },
            WorkLane::Priority::Background);
        return;
    }
}

void FigurePanel::updateHighlight() {
    const SelectionState& state = m_workspace.selection().state();
    figures::Selection highlight;
    highlight.token = m_workspace.selection().currentToken();
    highlight.layer = state.layer;
    if (!state.experts.empty()) {
        highlight.expert = state.experts.front();
    }
    const FigurePointer shown = m_view->figure();
    const auto* maps = shown ? std::get_if<figures::HeatMapFigure>(&shown->body) : nullptr;
    if (maps != nullptr && state.pair && !maps->panels.empty()) {
        const auto indexOf = [](const std::vector<std::string>& labels, const QString& label) {
            const auto found = std::find(labels.begin(), labels.end(), label.toStdString());
            return found == labels.end()
                       ? std::optional<int>()
                       : std::optional<int>(static_cast<int>(found - labels.begin()));
        };
        highlight.pairRow = indexOf(maps->panels.front().rowLabels, state.pair->row);
        highlight.pairColumn = indexOf(maps->panels.front().columnLabels, state.pair->column);
    }
    const auto* scatter = shown ? std::get_if<figures::ScatterFigure>(&shown->body) : nullptr;
    if (scatter != nullptr && state.pair) {
        bool isRow = false;
        bool isColumn = false;
        const int row = state.pair->row.toInt(&isRow);
        const int column = state.pair->column.toInt(&isColumn);
        if (isRow && isColumn) {  // not with F or S
            highlight.pairRow = row;
            highlight.pairColumn = column;
        }
    }
    m_view->setSelection(highlight);
}

void FigurePanel::selectPair(int row, int column) {
    const FigurePointer shown = m_view->figure();
    if (shown && std::holds_alternative<figures::ScatterFigure>(shown->body)) {
        m_workspace.selection().setPair(
            PairSelection{QString::number(row), QString::number(column)});
        return;
    }
    const auto* maps = shown ? std::get_if<figures::HeatMapFigure>(&shown->body) : nullptr;
    const bool similarity = m_info.name.find("similarity") != std::string_view::npos;
    if (maps == nullptr || maps->panels.empty() || !similarity) {
        return;
    }
    const figures::HeatMapPanel& panel = maps->panels.front();
    const auto label = [](const std::vector<std::string>& labels, int index) {
        return index >= 0 && index < static_cast<int>(labels.size())
                   ? QString::fromStdString(labels[static_cast<std::size_t>(index)])
                   : QString::number(index);
    };
    m_workspace.selection().setPair(
        PairSelection{label(panel.rowLabels, row), label(panel.columnLabels, column)});
}

}  // namespace moescope::widgets
