// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/panels/message_bar.h"

#include "widgets/panels/icons.h"
#include "widgets/support/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace moescope::widgets {
namespace {

constexpr int kIconSize = 16;
constexpr int kDetailLines = 8;
constexpr qsizetype kMostListed = 3;  ///< problems told in full, the rest unfolds

QToolButton* flatButton(const QString& name, const QString& toolTip, QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setObjectName(name);
    button->setAutoRaise(true);
    button->setToolTip(toolTip);
    button->setAccessibleName(toolTip);
    return button;
}

QColor colourOf(MessageBar::Kind kind, const Theme& theme) {
    switch (kind) {
        case MessageBar::Kind::Error:
            return theme.error;
        case MessageBar::Kind::Warning:
            return theme.warning;
        case MessageBar::Kind::Info:
            break;
    }
    return theme.accent;
}

}  // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      m_icon(new QLabel(this)),
      m_text(new QLabel(this)),
      m_action(new QPushButton(this)),
      m_more(flatButton(QStringLiteral("messageDetailsButton"), tr("Details"), this)),
      m_close(flatButton(QStringLiteral("messageCloseButton"), tr("Close this message"), this)),
      m_details(new QPlainTextEdit(this)) {
    setObjectName(QStringLiteral("messageBar"));
    setFrameShape(QFrame::NoFrame);
    m_text->setObjectName(QStringLiteral("messageText"));
    m_text->setWordWrap(true);
    // What it needs follows from its width. Without a minimum of its own a window grows to what it
    // would need if it were narrow.
    m_text->setMinimumHeight(fontMetrics().lineSpacing());
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_action->setObjectName(QStringLiteral("messageActionButton"));
    m_more->setText(tr("Details"));
    m_more->setCheckable(true);
    m_close->setIcon(icon(QStringLiteral("close")));
    m_details->setObjectName(QStringLiteral("messageDetails"));
    m_details->setReadOnly(true);
    m_details->setMaximumHeight(kDetailLines * fontMetrics().lineSpacing());
    m_details->setAccessibleName(tr("Details of the message"));

    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(m_icon, 0, Qt::AlignTop);
    row->addWidget(m_text, 1);
    row->addWidget(m_action);
    row->addWidget(m_more);
    row->addWidget(m_close, 0, Qt::AlignTop);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 8, 8);
    column->addLayout(row);
    column->addWidget(m_details);
    // Room that is kept is that of a short message.
    m_action->hide();
    m_more->hide();
    m_details->hide();
    connect(m_more, &QToolButton::toggled, m_details, &QWidget::setVisible);
    connect(m_close, &QToolButton::clicked, this, &MessageBar::clear);
    connect(m_action, &QPushButton::clicked, this, &MessageBar::actionTriggered);
    clear();
}

void MessageBar::showProblem(const Problem& problem) {
    showMessage(Kind::Error, problem.message, problem.details);
    m_problems = {problem};
}

void MessageBar::addProblem(const Problem& problem) {
    QList<Problem> problems = m_problems;
    problems.append(problem);
    QStringList texts;
    QStringList details;
    for (const Problem& each : std::as_const(problems)) {
        texts << each.message;
        details << each.details;
    }
    details.removeAll(QString());
    if (texts.size() > kMostListed) {
        details = texts.mid(kMostListed) + details;
        texts = texts.mid(0, kMostListed);
        texts << tr("%1 more did not open either; see the details.")
                     .arg(problems.size() - kMostListed);
    }
    showMessage(Kind::Error, texts.join(QLatin1Char('\n')), details.join(QLatin1Char('\n')));
    m_problems = std::move(problems);
}

void MessageBar::showMessage(Kind kind, const QString& text, const QString& details) {
    m_kind = kind;
    m_problems.clear();
    m_text->setText(text);
    m_details->setPlainText(details);
    m_more->setChecked(false);
    m_more->setVisible(!details.isEmpty());
    m_details->hide();
    m_action->hide();
    restyle();
    show();
}

void MessageBar::setAction(const QString& label) {
    m_action->setText(label);
    m_action->setVisible(!label.isEmpty());
}

void MessageBar::clear() {
    m_problems.clear();
    m_text->clear();
    hide();
}

void MessageBar::keepRoom(int lines) {
    const QMargins margins = layout()->contentsMargins();
    const int height = std::max(lines * fontMetrics().lineSpacing(), m_action->sizeHint().height());
    setMinimumHeight(lines > 0 ? height + margins.top() + margins.bottom() : 0);
    QSizePolicy policy = sizePolicy();
    policy.setRetainSizeWhenHidden(lines > 0);
    setSizePolicy(policy);
}

QString MessageBar::text() const {
    return m_text->text();
}

void MessageBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_styling) {
        restyle();
    }
}

void MessageBar::restyle() {
    m_styling = true;
    const Theme theme = Theme::fromPalette(palette());
    const QColor colour = colourOf(m_kind, theme);
    // The text's colour by name: under a style sheet labels keep the palette of before.
    setStyleSheet(QStringLiteral("#messageBar { background: rgba(%1, %2, %3, 40); "
                                 "border-left: 3px solid %4; } #messageBar QLabel { color: %5; }")
                      .arg(colour.red())
                      .arg(colour.green())
                      .arg(colour.blue())
                      .arg(colour.name(), theme.text.name()));
    m_icon->setPixmap(
        icon(m_kind == Kind::Info ? QStringLiteral("info") : QStringLiteral("warning"))
            .pixmap(QSize(kIconSize, kIconSize), devicePixelRatioF()));
    m_styling = false;
}

}  // namespace moescope::widgets
