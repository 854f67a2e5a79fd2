// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/figure_panel.h"

#include "core/base/error.h"
#include "core/experiments/options.h"
#include "core/figures/routing_agreement.h"
#include "widgets/figures/figure_view.h"
#include "widgets/panels/busy_line.h"
#include "widgets/panels/figure_controls.h"
#include "widgets/panels/message_bar.h"
#include "widgets/state/window_words.h"

#include <QLabel>
#include <QLocale>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

QString text(std::string_view view) {
    return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size()));
}

constexpr std::uint64_t kMostTokensShown = 24;
constexpr std::uint64_t kTokensOfPassage = 128;

/// Experts were removed, whatever is kept of single tokens.
bool hasRemovals(const OpenSession& session) {
    const figures::FigureInfo* table = figures::findFigure("expert-removal-table");
    return table != nullptr && isDrawable(session, *table);
}

/// Prune lists alone were asked for.
bool lacksCurves(const OpenSession& session) {
    const auto& records = session.head().experiments;
    return std::any_of(records.begin(), records.end(), [](const session::ExperimentRecord& record) {
        try {
            return record.id == "pruning" &&
                   !experiments::parseOptions(record.id, record.optionsJson).curves;
        } catch (const Error&) {
            return false;  // options of a later version
        }
    });
}

/// The first of the tokens.
figures::TokenSelection firstOf(const std::vector<TokenRange>& ranges, std::uint64_t most) {
    std::vector<TokenRange> first;
    for (const TokenRange& range : ranges) {
        first.push_back({range.first, std::min(range.count, most)});
        most -= first.back().count;
    }
    return figures::TokenSelection(std::move(first));
}

/// Of the layers with a router; 0 when there are none.
int fewestExperts(const session::ModelSummary& model) {
    int fewest = 0;
    for (const auto& layer : model.layers) {
        if (layer.isRouted()) {
            fewest = fewest == 0 ? layer.experts : std::min(fewest, layer.experts);
        }
    }
    return fewest;
}

}  // namespace

FigurePanel::FigurePanel(const figures::FigureInfo& info, Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_info(info),
      m_workspace(workspace),
      m_controls(new FigureControls(info, this)),
      m_messages(new MessageBar(this)),
      m_selected(new MessageBar(this)),
      m_view(new FigureView(this)),
      m_readOut(new QLabel(this)),
      m_runner(workspace.sessions().lane()),
      m_prefetcher(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("figurePanel_") + text(info.name));
    build();
    connectView();
    connect(m_controls, &FigureControls::changed, this, &FigurePanel::refresh);
    connect(m_controls, &FigureControls::riseRequested, this, &FigurePanel::stepRise);
    if (m_info.prunes) {
        connect(m_controls, &FigureControls::changed, this,
                [this] { Q_EMIT pruneChosen(*m_controls->options().form.prune); });
    }
    connect(m_messages, &MessageBar::actionTriggered, this, [this] {
        const SessionSnapshot session = m_workspace.current();
        if (session && m_info.prunes && isDrawable(*session, m_info)) {
            requestMeasurement();  // the loss of what goes is missing
        } else if (session && m_info.needsOther && isDrawable(*session, m_info)) {
            Q_EMIT openRequested();  // only the other session is missing
        } else {
            Q_EMIT runRequested(text(m_info.experiment));
        }
    });
    if (m_info.needsOther) {
        const SessionService& sessions = m_workspace.sessions();
        connect(&sessions, &SessionService::opened, this, &FigurePanel::updateOthers);
        connect(&sessions, &SessionService::reloaded, this, &FigurePanel::updateOthers);
        connect(&sessions, &SessionService::closed, this, &FigurePanel::updateOthers);
        connect(&m_workspace, &Workspace::currentChanged, this, &FigurePanel::updateOthers);
    }
    connect(m_selected, &MessageBar::actionTriggered, this,
            [this] { m_workspace.selection().setTokens({}); });
    connect(&m_workspace, &Workspace::currentChanged, this, &FigurePanel::refresh);
    connect(&m_workspace.selection(), &Selection::changed, this, &FigurePanel::takeSelection);
}

FigurePanel::~FigurePanel() = default;

void FigurePanel::build() {
    m_view->setObjectName(QStringLiteral("figureView"));
    m_view->setAccessibleName(text(m_info.title));
    m_messages->setObjectName(QStringLiteral("figureMessages"));
    m_selected->setObjectName(QStringLiteral("selectedTokens"));
    m_readOut->setObjectName(QStringLiteral("readOut"));
    m_readOut->setAccessibleName(tr("Value under the cursor"));
    m_readOut->setTextFormat(Qt::PlainText);
    m_readOut->setMinimumHeight(fontMetrics().height() + 4);
    m_readOut->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_controls);
    column->addWidget(m_messages);
    column->addWidget(m_selected);
    column->addWidget(new BusyLine(m_runner, this));
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
    connect(m_view, &FigureView::expertActivated, this, &FigurePanel::cardRequested);
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
    if (m_info.removes) {
        takeRemoval(request);
    }
    if (m_info.needsExpert && !state.experts.empty()) {
        request.expert = state.experts.front();
    }
    request.tokens = tokensFor(options);
    request.ranks = ranksFor(options, request.layer);
    return request;
}

// The selected expert in the layer, its index in all layers, or what a set says.
void FigurePanel::takeRemoval(figures::FigureRequest& request) const {
    using Kind = figures::RemovalChoice::Kind;
    const SelectionState& state = m_workspace.selection().state();
    const Kind kind = request.removal ? request.removal->kind : Kind::InLayer;
    if (kind != Kind::InLayer) {
        request.layer.reset();
    }
    if (!state.experts.empty() && (kind == Kind::InLayer || kind == Kind::Everywhere)) {
        request.expert = state.experts.front();
    }
}

QList<SessionSnapshot> FigurePanel::sessions() const {
    const SessionSnapshot current = m_workspace.current();
    if (!current || !m_info.needsOther) {
        return current ? QList<SessionSnapshot>{current} : QList<SessionSnapshot>();
    }
    const QList<int> others = m_controls->others();
    QList<SessionSnapshot> series;
    if (others.size() > 1) {
        for (const SessionSnapshot& session : m_workspace.sessions().sessions()) {
            if (session->id == current->id || others.contains(session->id)) {
                series.append(session);
            }
        }
        return series;
    }
    const SessionSnapshot other =
        others.isEmpty() ? nullptr : m_workspace.sessions().find(others.front());
    return other ? QList<SessionSnapshot>{current, other} : QList<SessionSnapshot>();
}

FigureKey FigurePanel::keyFor(const SessionSnapshot& session, std::optional<LayerId> layer) const {
    FigureKey key{session->id, session->revision, requestFor(layer)};
    if (m_info.needsOther) {
        for (const SessionSnapshot& each : sessions()) {
            key.others.emplace_back(each->id, each->revision);
        }
    }
    return key;
}

// Those that fit come first: the first one is shown unless the user chooses.
void FigurePanel::updateOthers() {
    const SessionSnapshot session = m_workspace.current();
    QList<OtherSession> fitting;
    QList<OtherSession> rest;
    for (const SessionSnapshot& candidate : m_workspace.sessions().sessions()) {
        if (session && candidate->id != session->id) {
            const QString difference =
                QString::fromStdString(figures::differenceOf(session->head(), candidate->head()));
            (difference.isEmpty() ? fitting : rest)
                .append({candidate->id, candidate->title, difference});
        }
    }
    m_whyNoOther = fitting.isEmpty() && !rest.isEmpty()
                       ? tr("%1 does not fit: %2").arg(rest.first().title, rest.first().difference)
                       : QString();
    m_controls->setOthers(fitting + rest);
    refresh();
}

// The selected token, or as many of several as can be read; of a figure about all tokens together
// the selected ones when there are several.
std::optional<figures::TokenSelection> FigurePanel::tokensFor(const FigureOptions& options) const {
    const Selection& selection = m_workspace.selection();
    const std::optional<std::uint64_t> token = selection.currentToken();
    if (m_info.hasSideBySide && options.allLayers) {
        return passage();
    }
    if (!options.singleTokens) {
        return m_info.ofSelection ? selection.selectedTokens() : std::nullopt;
    }
    if (!token) {
        return std::nullopt;
    }
    return m_info.needsToken ? firstOf(selection.state().tokens, kMostTokensShown)
                             : TokenRange{*token, 1};
}

// The first range of what is selected; around a single token, what stands there.
std::optional<figures::TokenSelection> FigurePanel::passage() const {
    const Selection& selection = m_workspace.selection();
    if (const auto selected = selection.selectedTokens()) {
        return selected->ranges().front();
    }
    const std::optional<std::uint64_t> token = selection.currentToken();
    if (!token) {
        return std::nullopt;
    }
    const std::uint64_t first = *token / kTokensOfPassage * kTokensOfPassage;
    return TokenRange{first, std::min(kTokensOfPassage, selection.bounds().tokens - first)};
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
    const FigureOptions options = m_controls->options();
    const bool token =
        m_info.ofSelection || options.singleTokens || (m_info.hasSideBySide && options.allLayers);
    return changes.testAnyFlags(always) ||
           (changes.testFlag(SelectionChange::Layer) && m_info.perLayer) ||
           (changes.testFlag(SelectionChange::Experts) && (m_info.needsExpert || m_info.removes)) ||
           (changes.testFlag(SelectionChange::Tokens) && token);
}

void FigurePanel::takeSelection(SelectionChanges changes) {
    const SessionSnapshot session = m_workspace.current();
    // Another token among the selected ones, say, changes nothing of what is drawn.
    const bool isShown = session && m_shown && *m_shown == keyFor(session);
    if (dependsOn(changes) && !isShown) {
        refresh();
    }
    updateHighlight();
    const FigurePointer shown = m_view->figure();
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    const bool isText =
        shown && (std::holds_alternative<figures::ColouredTextFigure>(shown->body) ||
                  std::holds_alternative<figures::LossTextFigure>(shown->body));
    if (token && changes.testFlag(SelectionChange::Tokens) && isText) {
        m_view->ensureTokenVisible(*token);
    }
    showRise();
}

void FigurePanel::setPrune(const figures::PruneChoice& choice) {
    m_controls->setPrune(choice);
    refresh();
}

void FigurePanel::stepRise(int direction) {
    const FigurePointer shown = m_view->figure();
    const auto* text = shown ? std::get_if<figures::LossTextFigure>(&shown->body) : nullptr;
    if (text == nullptr || text->worst.empty()) {
        return;
    }
    const auto& worst = text->worst;
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    const auto place = token ? std::find(worst.begin(), worst.end(), *token) : worst.end();
    const auto last = static_cast<std::ptrdiff_t>(worst.size()) - 1;
    const std::ptrdiff_t next =
        place == worst.end() ? 0 : std::clamp(place - worst.begin() + direction, {}, last);
    m_workspace.selection().selectToken(worst[static_cast<std::size_t>(next)]);
}

// Which of the largest rises the current token is.
void FigurePanel::showRise() {
    const FigurePointer shown = m_view->figure();
    const auto* text = shown ? std::get_if<figures::LossTextFigure>(&shown->body) : nullptr;
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    if (text == nullptr || text->worst.empty()) {
        m_controls->setRise({}, false);
        return;
    }
    const auto& worst = text->worst;
    const auto place = token ? std::find(worst.begin(), worst.end(), *token) : worst.end();
    const QLocale locale;
    const auto number = [&](std::size_t value) {
        return locale.toString(static_cast<qulonglong>(value));
    };
    const QString pattern =
        worst.size() < text->rising ? tr("%1 of the %2 largest of %3") : tr("%1 of %2");
    QString said = pattern.arg(number(static_cast<std::size_t>(place - worst.begin()) + 1),
                               number(worst.size()));
    if (worst.size() < text->rising) {
        said = said.arg(number(text->rising));
    }
    m_controls->setRise(place == worst.end() ? QString() : said, true);
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
    if (session && m_info.removes) {
        m_controls->setRemovals(session->content.builder->removals());
    }
    if (session && m_info.simulatesLoad) {
        m_controls->setExperts(fewestExperts(session->head().model));
    }
    m_readOut->clear();
    m_selected->clear();
    m_shown.reset();
    if (!session) {
        m_runner.cancel();
        m_messages->clear();
        clearFigure();
    } else if (!isDrawable(*session, m_info)) {
        m_runner.cancel();
        clearFigure();
        showMissing();
    } else if (sessions().isEmpty()) {
        m_runner.cancel();
        clearFigure();
        showNoOther();
    } else {
        request(session);
    }
}

void FigurePanel::clearFigure() {
    m_view->setFigure(nullptr);
    showRise();
}

void FigurePanel::showMissing() {
    const bool running = m_workspace.run().isRunning();
    const SessionSnapshot session = m_workspace.current();
    if (m_info.removes && !running && session && hasRemovals(*session)) {
        m_messages->showMessage(
            MessageBar::Kind::Info,
            tr("This session keeps no losses of single tokens without experts. Remove the experts "
               "as a set of their own (\"Removed experts\" of a new analysis), which keeps them."));
        m_messages->setAction(tr("Run now"));
        return;
    }
    m_messages->showMessage(
        MessageBar::Kind::Info,
        running ? tr("%1 will appear here as the analysis goes on.").arg(text(m_info.title))
                : tr("Not in this session: %1.").arg(text(m_info.title)));
    m_messages->setAction(running ? QString() : tr("Run now"));
}

void FigurePanel::showNoOther() {
    m_messages->showMessage(
        MessageBar::Kind::Info,
        tr("Two sessions are compared here: open another one, of a model of the same shape on the "
           "same text, such as base and instruct."),
        m_whyNoOther);
    m_messages->setAction(tr("Open..."));
}

void FigurePanel::request(const SessionSnapshot& session) {
    const FigureKey key = keyFor(session);
    if (const FigurePointer cached = m_workspace.figures().find(key)) {
        m_runner.cancel();
        showFigure(key, cached);
        return;
    }
    m_prefetcher.cancel();
    m_runner.run<FigurePointer>(
        [sources = sessions(), request = key.request](const std::stop_token& stop) {
            return buildFigure(sources, request, stop);
        },
        [this, key](const Outcome<FigurePointer>& outcome) { take(key, outcome); });
}

void FigurePanel::take(const FigureKey& key, const Outcome<FigurePointer>& outcome) {
    if (!outcome.ok()) {
        clearFigure();
        Problem problem = outcome.problem();
        problem.message = inWindowWords(problem.message);
        m_messages->showProblem(problem);
        return;
    }
    m_workspace.figures().insert(key, outcome.value());
    showFigure(key, outcome.value());
}

void FigurePanel::showFigure(const FigureKey& key, const FigurePointer& figure) {
    m_shown = key;
    m_messages->clear();
    if (!figure->notice.empty()) {
        m_messages->showMessage(MessageBar::Kind::Info, QString::fromStdString(figure->notice));
    }
    showSelection(*figure);
    // While the slider moves, what is measured and what is not take turns.
    m_messages->keepRoom(figure->prunes != nullptr ? 1 : 0);
    offerMeasurement(*figure);
    offerCurves();
    m_view->setFigure(figure);
    updateHighlight();
    showRise();
    if (figure->prunes != nullptr) {
        m_controls->setPrunedShare(figure->prunes->share());
    }
    Q_EMIT figureShown();
    m_ahead.clear();
    if (const SessionSnapshot session = m_workspace.current();
        session && m_info.perLayer && key.request.layer) {
        planAhead(session);
        prefetch();
    }
}

// Routed layers on both sides, so that the next step of the slider is there already, and the colour
// range of all layers, which takes as long as all of them do.
void FigurePanel::planAhead(const SessionSnapshot& session) {
    const Selection& selection = m_workspace.selection();
    const auto& routed = selection.bounds().layerIsRouted;
    for (const int step : {1, -1, 2, -2}) {
        const int layer = selection.state().layer.value + step;
        if (layer >= 0 && layer < static_cast<int>(routed.size()) &&
            routed[static_cast<std::size_t>(layer)]) {
            m_ahead.append(keyFor(session, LayerId{layer}));
        }
    }
    if (m_controls->hasRange()) {
        FigureKey key = keyFor(session);
        key.request.range = {figures::ColourRange::Kind::AllLayers};
        m_ahead.append(key);
    }
}

void FigurePanel::offerMeasurement(const figures::Figure& figure) {
    if (figure.prunes != nullptr &&
        figure.prunes->measurement != figures::PruneList::Measurement::None &&
        !m_workspace.run().isRunning()) {
        m_messages->showMessage(
            MessageBar::Kind::Info,
            tr("The loss without these experts has not been measured in this session."));
        m_messages->setAction(tr("Measure"));
    }
}

// Where prune lists were measured alone.
void FigurePanel::offerCurves() {
    const SessionSnapshot session = m_workspace.current();
    if (m_info.experiment == "pruning" && session && !m_workspace.run().isRunning() &&
        lacksCurves(*session)) {
        m_messages->showMessage(
            MessageBar::Kind::Info,
            tr("The pruning curves have not been measured in this session, prune lists alone."));
        m_messages->setAction(tr("Measure curves"));
    }
}

void FigurePanel::requestMeasurement() {
    const FigurePointer shown = figure();
    if (shown != nullptr && shown->prunes != nullptr &&
        shown->prunes->measurement == figures::PruneList::Measurement::List) {
        Q_EMIT listRequested(shown);
    } else {
        Q_EMIT runRequested(QStringLiteral("pruning"));
    }
}

// One click takes it back.
void FigurePanel::showSelection(const figures::Figure& figure) {
    m_selected->clear();
    if (!figure.provenance.selection.empty()) {
        m_selected->showMessage(
            MessageBar::Kind::Info,
            tr("Only selected tokens: %1 of %2 (%3)")
                .arg(QLocale().toString(static_cast<qulonglong>(figure.provenance.tokens)),
                     QLocale().toString(
                         static_cast<qulonglong>(m_workspace.selection().bounds().tokens)),
                     QString::fromStdString(figure.provenance.selection)));
        m_selected->setAction(tr("Show all tokens"));
    }
}

// What a selection will need, while nothing else is to be done.
void FigurePanel::prepareSelections(const SessionSnapshot& session) {
    if (!m_info.ofSelection || (m_info.experiment != "rank_counts" && !m_info.needsToken)) {
        return;
    }
    const SelectionState& state = m_workspace.selection().state();
    m_prefetcher.run<bool>(
        [builder = session->content.builder, layer = state.layer,
         branch = state.branch](const std::stop_token& stop) {
            builder->prepareSelections(layer, branch, stop);
            return true;
        },
        [](const Outcome<bool>&) {}, WorkLane::Priority::Background);
}

void FigurePanel::prefetch() {
    const SessionSnapshot session = m_workspace.current();
    if (!session) {
        return;
    }
    while (!m_ahead.isEmpty()) {
        const FigureKey key = m_ahead.takeFirst();
        if (key.session != session->id || m_workspace.figures().find(key)) {
            continue;
        }
        m_prefetcher.run<FigurePointer>(
            [sources = sessions(), request = key.request](const std::stop_token& stop) {
                return buildFigure(sources, request, stop);
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
    prepareSelections(session);
}

void FigurePanel::updateHighlight() {
    const SelectionState& state = m_workspace.selection().state();
    figures::Selection highlight;
    highlight.token = m_workspace.selection().currentToken();
    highlight.tokens = m_workspace.selection().selectedTokens().value_or(figures::TokenSelection());
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
