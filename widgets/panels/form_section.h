// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QVBoxLayout;

namespace moescope::widgets {

class MessageBar;

/// A titled part of a dialog with its own place for messages. *GUI thread only*.
class FormSection : public QWidget {
    Q_OBJECT
public:
    FormSection(const QString& name, const QString& title, QWidget* parent = nullptr);

    [[nodiscard]] MessageBar& messages() { return *m_messages; }
    void addContent(QWidget* widget, int stretch = 0);

private:
    QVBoxLayout* m_column;
    MessageBar* m_messages;
};

}  // namespace moescope::widgets
