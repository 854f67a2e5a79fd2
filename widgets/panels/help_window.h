// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"
#include "widgets/models/command_model.h"

#include <QDialog>
#include <QList>

class QListWidget;
class QTextBrowser;

namespace moescope::widgets {

/// A page of the built-in help.
struct HelpTopic {
    QString id;  ///< an experiment's id, or "introduction", "keys", "glossary"
    QString title;
    QString html;
};

/// How to begin, every experiment (definition, formula, how to read it, source), keys and terms.
[[nodiscard]] QList<HelpTopic> helpTopics(const QList<Command>& commands);

/// The topic that explains a figure.
[[nodiscard]] QString helpTopicOf(const figures::FigureInfo& figure);

/// The help, topics on the left. Not modal. *GUI thread only*.
class HelpWindow : public QDialog {
    Q_OBJECT
public:
    explicit HelpWindow(const QList<Command>& commands, QWidget* parent = nullptr);

    /// The first topic when there is none of that id.
    void showTopic(const QString& id);

private:
    QList<HelpTopic> m_topics;
    QListWidget* m_list;
    QTextBrowser* m_page;
};

}  // namespace moescope::widgets
