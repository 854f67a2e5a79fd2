// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/text_strip_panel.h"

#include "core/figures/routing_search.h"
#include "widgets/figures/figure_view.h"
#include "widgets/models/summary_text.h"
#include "widgets/panels/busy_line.h"
#include "widgets/panels/message_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <variant>

namespace moescope::widgets {
namespace {

constexpr std::size_t kMostFound = 1'000'000;  // places that are counted
constexpr int kPlaceDelay = 150;               // ms

/// "3 of 17", counted from 1.
QString placeText(std::size_t place, std::size_t of) {
    const QLocale locale;
    return TextStripPanel::tr("%1 of %2")
        .arg(locale.toString(static_cast<qulonglong>(place) + 1),
             locale.toString(static_cast<qulonglong>(of)));
}

}  // namespace

TextStripPanel::TextStripPanel(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_search(new QLineEdit(this)),
      m_previous(addButton(QStringLiteral("findPreviousButton"), QStringLiteral("\u25B2"),
                           tr("Previous place (Shift+F3)"))),
      m_next(addButton(QStringLiteral("findNextButton"), QStringLiteral("\u25BC"),
                       tr("Next place (F3)"))),
      m_count(new QLabel(this)),
      m_document(
          addButton(QStringLiteral("selectDocument"), tr("Document"),
                    tr("Select all tokens of the current token's document: figures follow"))),
      m_domain(addButton(QStringLiteral("selectDomain"), tr("Domain"),
                         tr("Select all documents of the current token's domain: figures follow"))),
      m_previousOfExpert(
          addButton(QStringLiteral("previousOfExpertButton"), QStringLiteral("\u25C0"),
                    tr("Previous token that chooses the selected expert at this layer (Shift+E)"))),
      m_nextOfExpert(
          addButton(QStringLiteral("nextOfExpertButton"), tr("Expert") + QStringLiteral(" \u25B6"),
                    tr("Next token that chooses the selected expert at this layer (E)"))),
      m_expertCount(new QLabel(this)),
      m_readOut(new QLabel(this)),
      m_messages(new MessageBar(this)),
      m_empty(new QLabel(tr("The text of a session stands here, each token on the colour of the "
                            "expert it went to first."),
                         this)),
      m_view(new FigureView(this)),
      m_runner(workspace.sessions().lane()),
      m_searcher(workspace.sessions().lane()),
      m_expertSearcher(workspace.sessions().lane()),
      m_placeCounter(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("textStrip"));
    m_placeTimer.setSingleShot(true);
    m_placeTimer.setInterval(kPlaceDelay);
    build();
    connectAll();
    updateButtons();
}

QToolButton* TextStripPanel::addButton(const QString& name, const QString& text,
                                       const QString& toolTip) {
    auto* button = new QToolButton(this);
    button->setObjectName(name);
    button->setText(text);
    button->setToolTip(toolTip);
    button->setAccessibleName(toolTip);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

void TextStripPanel::connectAll() {
    Selection& selection = m_workspace.selection();
    connect(m_view, &FigureView::hovered, m_readOut, &QLabel::setText);
    connect(m_view, &FigureView::tokenClicked, &selection,
            [&selection](std::uint64_t token) { selection.selectToken(token); });
    connect(m_view, &FigureView::expertClicked, &selection,
            [&selection](int expert) { selection.setExperts({expert}); });
    connect(m_view, &FigureView::tokenRangeSelected, &selection,
            [&selection](std::uint64_t first, std::uint64_t count) {
                selection.setTokens({TokenRange{first, count}});
            });
    connect(m_view, &FigureView::expertActivated, this, &TextStripPanel::cardRequested);
    connect(m_search, &QLineEdit::textEdited, this, [this] { search(0); });
    connect(m_search, &QLineEdit::returnPressed, this, [this] { findNext(+1); });
    connect(m_previous, &QToolButton::clicked, this, [this] { findNext(-1); });
    connect(m_next, &QToolButton::clicked, this, [this] { findNext(+1); });
    connect(m_document, &QToolButton::clicked, this, &TextStripPanel::selectDocument);
    connect(m_domain, &QToolButton::clicked, this, &TextStripPanel::selectDomain);
    connect(m_previousOfExpert, &QToolButton::clicked, this, [this] { findNextOfExpert(-1); });
    connect(m_nextOfExpert, &QToolButton::clicked, this, [this] { findNextOfExpert(+1); });
    connect(&m_placeTimer, &QTimer::timeout, this, &TextStripPanel::countPlace);
    connect(&m_workspace, &Workspace::currentChanged, this, &TextStripPanel::refresh);
    connect(&selection, &Selection::changed, this, &TextStripPanel::takeSelection);
}

TextStripPanel::~TextStripPanel() = default;

void TextStripPanel::build() {
    m_view->setObjectName(QStringLiteral("textStripView"));
    m_view->setAccessibleName(tr("Analyzed text"));
    m_view->setTitleVisible(false);
    m_view->setCaptionVisible(false);
    m_search->setObjectName(QStringLiteral("tokenSearch"));
    m_search->setPlaceholderText(tr("Find in the text"));
    m_search->setAccessibleName(tr("Find in the text"));
    m_search->setToolTip(tr("Ctrl+F; Enter: next, Shift+Enter: previous, Escape: back"));
    m_search->setClearButtonEnabled(true);
    m_search->setMaximumWidth(fontMetrics().averageCharWidth() * 30);
    m_search->installEventFilter(this);
    m_empty->setObjectName(QStringLiteral("textEmpty"));
    m_empty->setWordWrap(true);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    m_count->setObjectName(QStringLiteral("searchResult"));
    m_count->setAccessibleName(tr("Which of how many places"));
    m_count->setForegroundRole(QPalette::PlaceholderText);
    m_expertCount->setObjectName(QStringLiteral("expertPlace"));
    m_expertCount->setAccessibleName(tr("Which of how many tokens of the expert"));
    m_expertCount->setForegroundRole(QPalette::PlaceholderText);
    m_readOut->setTextFormat(Qt::PlainText);
    m_readOut->setObjectName(QStringLiteral("textReadOut"));
    m_readOut->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_search);
    row->addWidget(m_previous);
    row->addWidget(m_next);
    row->addWidget(m_count);
    row->addSpacing(4);
    row->addWidget(m_previousOfExpert);
    row->addWidget(m_nextOfExpert);
    row->addWidget(m_expertCount);
    row->addSpacing(4);
    row->addWidget(m_document);
    row->addWidget(m_domain);
    row->addWidget(m_readOut, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(4);
    column->addLayout(row);
    column->addWidget(m_messages);
    column->addWidget(m_empty);
    column->addWidget(new BusyLine(m_runner, this));
    column->addWidget(m_view, 1);
    column->addStretch(0);
}

void TextStripPanel::startSearch() {
    m_search->setFocus(Qt::ShortcutFocusReason);
    m_search->selectAll();
}

bool TextStripPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_search && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Escape) {
            m_view->setFocus();
            return true;
        }
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (enter && key->modifiers().testFlag(Qt::ShiftModifier)) {
            findNext(-1);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void TextStripPanel::selectDocument() {
    const SessionSnapshot session = m_workspace.current();
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    if (!session || !token) {
        return;
    }
    const auto& offsets = session->head().corpus.offsets;
    const auto end = std::upper_bound(offsets.begin(), offsets.end(), *token);
    if (end != offsets.begin() && end != offsets.end()) {
        const std::uint64_t first = *std::prev(end);
        m_workspace.selection().setTokens({TokenRange{first, *end - first}});
    }
}

void TextStripPanel::selectDomain() {
    const SessionSnapshot session = m_workspace.current();
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    if (!session || !token) {
        return;
    }
    const text::TokenizedCorpus& corpus = session->head().corpus;
    const auto& offsets = corpus.offsets;
    const auto after = std::upper_bound(offsets.begin(), offsets.end(), *token);
    const auto document = static_cast<std::size_t>(after - offsets.begin()) - 1;
    if (after == offsets.begin() || document >= corpus.domainOf.size()) {
        return;
    }
    std::vector<TokenRange> ranges;
    for (std::size_t d = 0; d + 1 < offsets.size(); ++d) {
        if (corpus.domainOf[d] == corpus.domainOf[document]) {
            ranges.push_back({offsets[d], offsets[d + 1] - offsets[d]});
        }
    }
    m_workspace.selection().setTokens(std::move(ranges));
}

void TextStripPanel::findNext(int direction) {
    search(direction);
}

// Direction 0: the current token may be the place.
void TextStripPanel::search(int direction) {
    const SessionSnapshot session = m_workspace.current();
    const std::string needle = m_search->text().toStdString();
    if (!session || needle.empty()) {
        m_searcher.cancel();
        m_found = {};
        m_count->clear();
        updateButtons();
        return;
    }
    if (m_found.session == session->id && m_found.needle == needle) {
        goTo(m_found.tokens, direction, m_count);
        return;
    }
    using Tokens = std::vector<std::uint64_t>;
    m_searcher.run<Tokens>(
        [session, needle](const std::stop_token& stop) {
            return figures::findText(session->head().corpus.tokenBytes, needle, kMostFound, stop);
        },
        [this, id = session->id, needle, direction](const Outcome<Tokens>& outcome) {
            m_found = {id, needle, outcome.ok() ? outcome.value() : Tokens()};
            if (m_found.tokens.empty()) {
                m_count->setText(tr("not in the text"));
            }
            goTo(m_found.tokens, direction, m_count);
            updateButtons();
        });
}

void TextStripPanel::goTo(const std::vector<std::uint64_t>& tokens, int direction, QLabel* count) {
    if (tokens.empty()) {
        return;
    }
    const std::size_t place =
        figures::placeFrom(tokens, m_workspace.selection().currentToken(), direction);
    m_workspace.selection().selectToken(tokens[place]);
    count->setText(placeText(place, tokens.size()));
}

bool TextStripPanel::OfExpert::isOfSame(const OfExpert& other) const {
    return session == other.session && revision == other.revision && layer == other.layer &&
           branch == other.branch && expert == other.expert;
}

/// What the buttons are about now, without its tokens.
TextStripPanel::OfExpert TextStripPanel::wantedOfExpert() const {
    const SessionSnapshot session = m_workspace.current();
    const SelectionState& state = m_workspace.selection().state();
    return {session ? session->id : 0,
            session ? session->revision : 0,
            state.layer,
            state.branch,
            state.experts.empty() ? std::nullopt : std::optional(state.experts.front()),
            {}};
}

void TextStripPanel::findNextOfExpert(int direction) {
    if (!m_workspace.current() || !m_workspace.selection().layerIsRouted()) {
        return;
    }
    const OfExpert wanted = wantedOfExpert();
    if (wanted.expert && m_ofExpert.isOfSame(wanted)) {
        goToOfExpert(direction);
        return;
    }
    searchOfExpert([this, wanted, direction] {
        if (!wanted.expert && m_ofExpert.expert) {
            m_workspace.selection().setExperts({*m_ofExpert.expert});
        }
        goToOfExpert(direction);
    });
}

// Tokens of the selected expert, or of the one that the current token chooses first. What was left
// meanwhile, a layer or an expert, is not gone to.
void TextStripPanel::searchOfExpert(const std::function<void()>& found) {
    const OfExpert wanted = wantedOfExpert();
    const std::uint64_t from = m_workspace.selection().currentToken().value_or(0);
    m_expertSearcher.run<OfExpert>(
        [builder = m_workspace.current()->content.builder, wanted,
         from](const std::stop_token& stop) {
            OfExpert result = wanted;
            const auto routing = builder->routing(wanted.layer, wanted.branch, stop);
            if (routing->tokenCount() > 0) {
                const std::uint64_t row = std::min(from, routing->tokenCount() - 1);
                result.expert = wanted.expert.value_or(routing->id(row, 0));
                result.tokens = figures::tokensOf(*routing, *result.expert, stop);
            }
            return result;
        },
        [this, wanted, found](const Outcome<OfExpert>& outcome) {
            if (!outcome.ok()) {
                m_messages->showProblem(outcome.problem());
            } else if (wanted.isOfSame(wantedOfExpert())) {
                m_ofExpert = outcome.value();
                found();
            }
        });
}

void TextStripPanel::goToOfExpert(int direction) {
    if (m_ofExpert.tokens.empty()) {
        m_readOut->setText(
            m_ofExpert.expert
                ? tr("No token chooses expert %1 at this layer").arg(*m_ofExpert.expert)
                : QString());
    }
    goTo(m_ofExpert.tokens, direction, m_expertCount);
}

// Which of the expert's tokens the current one is, when both are selected, however they were.
void TextStripPanel::showPlace() {
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    const OfExpert wanted = wantedOfExpert();
    const bool isKnown = m_ofExpert.isOfSame(wanted);
    const auto& tokens = m_ofExpert.tokens;
    const auto place =
        token ? std::lower_bound(tokens.begin(), tokens.end(), *token) : tokens.end();
    const bool isThere = isKnown && place != tokens.end() && *place == *token;
    m_expertCount->setText(
        isThere ? placeText(static_cast<std::size_t>(place - tokens.begin()), tokens.size())
                : QString());
    if (!isKnown && token && wanted.expert && isVisible()) {
        m_placeTimer.start();
    } else {
        m_placeTimer.stop();
    }
}

// Nothing is read for it: where the text of this layer is not drawn (yet), take() asks again.
void TextStripPanel::countPlace() {
    const OfExpert wanted = wantedOfExpert();
    const FigurePointer figure = m_view->figure();
    const auto* text =
        figure == nullptr ? nullptr : std::get_if<figures::ColouredTextFigure>(&figure->body);
    const bool isDrawn =
        m_shownKey.session == wanted.session && m_shownKey.revision == wanted.revision &&
        m_shownKey.request.layer == wanted.layer && m_shownKey.request.branch == wanted.branch;
    if (text == nullptr || text->routing == nullptr || !isDrawn || !wanted.expert) {
        return;
    }
    using Tokens = std::vector<std::uint64_t>;
    m_placeCounter.run<Tokens>(
        [routing = text->routing, expert = *wanted.expert](const std::stop_token& stop) {
            return figures::tokensOf(*routing, expert, stop);
        },
        [this, wanted](const Outcome<Tokens>& outcome) {
            if (outcome.ok() && wanted.isOfSame(wantedOfExpert())) {
                m_ofExpert = wanted;
                m_ofExpert.tokens = outcome.value();
                showPlace();
            }
        },
        WorkLane::Priority::Soon);
}

// What is looked for in another session's text has no place in this one.
void TextStripPanel::forgetSession() {
    m_searcher.cancel();
    m_expertSearcher.cancel();
    m_placeCounter.cancel();
    m_placeTimer.stop();
    m_found = {};
    m_ofExpert = {};
    m_count->clear();
    m_expertCount->clear();
}

void TextStripPanel::updateButtons() {
    const SessionSnapshot session = m_workspace.current();
    const bool hasText = session && session->head().corpus.tokenCount() > 0;
    const bool hasToken = hasText && m_workspace.selection().currentToken().has_value();
    const bool isFound = !m_found.tokens.empty();
    m_previous->setEnabled(hasText && isFound);
    m_next->setEnabled(hasText && isFound);
    m_document->setEnabled(hasToken);
    m_domain->setEnabled(hasToken && !session->head().corpus.domains.empty());
    const bool isRouted = hasText && m_workspace.selection().layerIsRouted();
    m_previousOfExpert->setEnabled(isRouted);
    m_nextOfExpert->setEnabled(isRouted);
    const auto& experts = m_workspace.selection().state().experts;
    m_nextOfExpert->setText(
        (experts.empty() ? tr("Expert") : tr("Expert %1").arg(experts.front())) +
        QStringLiteral(" \u25B6"));
}

void TextStripPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_stale) {
        refresh();
    }
}

void TextStripPanel::takeSelection(SelectionChanges changes) {
    const SelectionChanges redraws =
        SelectionChange::Session | SelectionChange::Branch | SelectionChange::Layer;
    if (changes.testFlag(SelectionChange::Session)) {
        forgetSession();
    }
    if (changes.testAnyFlags(redraws)) {
        refresh();
    }
    showPlace();
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    figures::Selection highlight;
    highlight.token = token;
    highlight.tokens = m_workspace.selection().selectedTokens().value_or(figures::TokenSelection());
    updateButtons();
    if (!m_workspace.selection().state().experts.empty()) {
        highlight.expert = m_workspace.selection().state().experts.front();
    }
    m_view->setSelection(highlight);
    if (changes.testFlag(SelectionChange::Tokens) && token) {
        m_view->ensureTokenVisible(*token);
    }
}

void TextStripPanel::refresh() {
    m_stale = !isVisible();
    const SessionSnapshot session = m_workspace.current();
    if (m_stale) {
        return;
    }
    const bool hasText = session && session->head().corpus.tokenCount() > 0;
    m_search->setEnabled(hasText);
    updateButtons();
    m_view->setVisible(hasText);
    m_empty->setVisible(!session);
    if (!hasText) {
        m_runner.cancel();
        m_view->setFigure(nullptr);
        m_messages->clear();
        if (session) {
            m_messages->showMessage(MessageBar::Kind::Info,
                                    tr("This session is about weights only: it has no text."));
        }
        return;
    }
    const SelectionState& state = m_workspace.selection().state();
    FigureKey key{session->id, session->revision, {}};
    key.request.figure = "coloured-text";
    key.request.layer = state.layer;
    key.request.branch = state.branch;
    if (const FigurePointer cached = m_workspace.figures().find(key)) {
        m_runner.cancel();
        take(key, cached);
        return;
    }
    m_runner.run<FigurePointer>(
        [builder = session->content.builder, request = key.request](const std::stop_token& stop) {
            return std::make_shared<const figures::Figure>(builder->build(request, {stop, {}}));
        },
        [this, key](const Outcome<FigurePointer>& outcome) { take(key, outcome); },
        WorkLane::Priority::Soon);  // the figure comes first
}

void TextStripPanel::take(const FigureKey& key, const Outcome<FigurePointer>& outcome) {
    if (!outcome.ok()) {
        m_view->setFigure(nullptr);
        m_messages->showProblem(outcome.problem());
        return;
    }
    m_messages->clear();
    m_workspace.figures().insert(key, outcome.value());
    m_view->setFigure(outcome.value());
    m_shownKey = key;
    showPlace();
}

}  // namespace moescope::widgets
