// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/text_strip_panel.h"

#include "widgets/figures/figure_view.h"
#include "widgets/models/summary_text.h"
#include "widgets/panels/message_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// True when the tokens from `token` on spell `needle` (lower case), after leading white space.
bool spellsAt(const std::vector<std::string>& tokens, const std::string& needle,
              std::uint64_t token) {
    std::size_t matched = 0;
    bool leading = needle.front() != ' ';
    for (std::uint64_t at = token; at < tokens.size() && matched < needle.size(); ++at) {
        for (const char c : tokens[at]) {
            if (leading && matched == 0 && (c == ' ' || c == '\n')) {
                continue;
            }
            leading = false;
            if (matched == needle.size()) {
                break;
            }
            if (lower(c) != needle[matched++]) {
                return false;
            }
        }
        if (matched == 0) {
            return false;
        }
    }
    return matched == needle.size();
}

}  // namespace

std::optional<std::uint64_t> findToken(const std::vector<std::string>& tokenBytes,
                                       const std::string& needle, std::uint64_t from, int direction,
                                       const std::stop_token& stop) {
    const std::uint64_t count = tokenBytes.size();
    if (count == 0 || needle.empty()) {
        return std::nullopt;
    }
    std::string wanted = needle;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), lower);
    for (std::uint64_t i = 1; i <= count && !stop.stop_requested(); ++i) {
        const std::uint64_t at =
            direction < 0 ? (from % count + count - i % count) % count : (from + i) % count;
        if (spellsAt(tokenBytes, wanted, at)) {
            return at;
        }
    }
    return std::nullopt;
}

TextStripPanel::TextStripPanel(Workspace& workspace, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_search(new QLineEdit(this)),
      m_found(new QLabel(this)),
      m_document(new QToolButton(this)),
      m_readOut(new QLabel(this)),
      m_messages(new MessageBar(this)),
      m_empty(new QLabel(tr("The text of a session stands here, each token on the colour of the "
                            "expert it went to first."),
                         this)),
      m_view(new FigureView(this)),
      m_runner(workspace.sessions().lane()),
      m_searcher(workspace.sessions().lane()) {
    setObjectName(QStringLiteral("textStrip"));
    build();
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
    connect(m_search, &QLineEdit::textEdited, this, [this] { search(+1, true); });
    connect(m_document, &QToolButton::clicked, this, &TextStripPanel::selectDocument);
    connect(m_search, &QLineEdit::returnPressed, this, [this] { findNext(+1); });
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
    m_search->setMaximumWidth(fontMetrics().averageCharWidth() * 36);
    m_search->installEventFilter(this);
    m_empty->setObjectName(QStringLiteral("textEmpty"));
    m_empty->setWordWrap(true);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    m_found->setObjectName(QStringLiteral("searchResult"));
    m_document->setObjectName(QStringLiteral("selectDocument"));
    m_document->setText(tr("Document"));
    m_document->setToolTip(tr("Select all tokens of the current token's document"));
    m_document->setEnabled(false);
    m_readOut->setTextFormat(Qt::PlainText);
    m_readOut->setObjectName(QStringLiteral("textReadOut"));
    m_readOut->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_search);
    row->addWidget(m_document);
    row->addWidget(m_found);
    row->addWidget(m_readOut, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 8, 4);
    column->setSpacing(4);
    column->addLayout(row);
    column->addWidget(m_messages);
    column->addWidget(m_empty);
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

void TextStripPanel::findNext(int direction) {
    search(direction, false);
}

void TextStripPanel::search(int direction, bool includeCurrent) {
    const SessionSnapshot session = m_workspace.current();
    const std::string needle = m_search->text().toStdString();
    m_found->clear();
    if (!session || needle.empty()) {
        m_searcher.cancel();
        return;
    }
    std::uint64_t from = m_workspace.selection().currentToken().value_or(0);
    if (includeCurrent || !m_workspace.selection().currentToken()) {
        const std::uint64_t count = session->head().corpus.tokenCount();
        from = count == 0 ? 0 : (from + count - 1) % count;
    }
    using Found = std::optional<std::uint64_t>;
    m_searcher.run<Found>(
        [session, needle, from, direction](const std::stop_token& stop) {
            return findToken(session->head().corpus.tokenBytes, needle, from, direction, stop);
        },
        [this](const Outcome<Found>& outcome) {
            const bool found = outcome.ok() && outcome.value().has_value();
            m_found->setText(found ? QString() : tr("not in the text"));
            if (found) {
                m_workspace.selection().selectToken(*outcome.value());
            }
        });
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
    if (changes.testAnyFlags(redraws)) {
        refresh();
    }
    const std::optional<std::uint64_t> token = m_workspace.selection().currentToken();
    figures::Selection highlight;
    highlight.token = token;
    highlight.tokens = m_workspace.selection().selectedTokens().value_or(figures::TokenSelection());
    m_document->setEnabled(token.has_value());
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
        [builder = session->content.builder, request = key.request](const std::stop_token&) {
            return std::make_shared<const figures::Figure>(builder->build(request));
        },
        [this, key](const Outcome<FigurePointer>& outcome) { take(key, outcome); });
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
}

}  // namespace moescope::widgets
