// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/outcome.h"

#include <QFrame>
#include <QList>

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QToolButton;

namespace moescope::widgets {

/// One line inside the panel concerned: what happened, why, what to do; details unfold, text can be
/// copied, it can be closed. Hidden while it has nothing to say. *GUI thread only*.
class MessageBar : public QFrame {
    Q_OBJECT
public:
    enum class Kind { Info, Warning, Error };

    explicit MessageBar(QWidget* parent = nullptr);

    void showProblem(const Problem& problem);
    /// The same beside the problems that are shown already: several files of one drop may be bad.
    void addProblem(const Problem& problem);
    void showMessage(Kind kind, const QString& text, const QString& details = {});
    /// Puts a button into the message that is shown; actionTriggered() tells when it is pressed.
    void setAction(const QString& label);
    void clear();
    /// Takes the room of so many lines, and of a button, also while hidden, so that nothing moves
    /// when it appears; 0: none.
    void keepRoom(int lines);

    [[nodiscard]] QString text() const;
    [[nodiscard]] Kind kind() const { return m_kind; }

Q_SIGNALS:
    void actionTriggered();

protected:
    void changeEvent(QEvent* event) override;

private:
    void restyle();

    Kind m_kind = Kind::Info;
    QList<Problem> m_problems;  ///< what is shown, when it is problems
    QLabel* m_icon;
    QLabel* m_text;
    QPushButton* m_action;
    QToolButton* m_more;
    QToolButton* m_close;
    QPlainTextEdit* m_details;
    bool m_styling = false;
};

}  // namespace moescope::widgets
