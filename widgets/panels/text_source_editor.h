// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/analysis_request.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QSpinBox;
class QStackedWidget;

namespace moescope::widgets {

class PathField;

/// Where the text of an analysis comes from: typed or a preset, files, a table's column, or none.
/// *GUI thread only*.
class TextSourceEditor : public QWidget {
    Q_OBJECT
public:
    /// `demoCorpus` may be empty: then that preset is not offered.
    explicit TextSourceEditor(const QString& demoCorpus, QWidget* parent = nullptr);

    /// Writes the text part of a request.
    void fill(AnalysisRequest& request) const;
    void setKind(TextKind kind);
    void setPrompt(const QString& text);
    [[nodiscard]] TextKind kind() const;
    /// Offers the text of the session that is added to, and says what it is.
    void offerSession(const QString& description);
    /// There is none, or none with text.
    void withdrawSession();

Q_SIGNALS:
    void changed();

private:
    [[nodiscard]] QWidget* promptPage();
    [[nodiscard]] QWidget* filesPage();
    [[nodiscard]] QWidget* tablePage();
    [[nodiscard]] QLabel* hintPage(const QString& text);
    void addPresets(const QString& demoCorpus);
    void applyPreset(int index);
    void updatePages();

    QString m_demoCorpus;
    QComboBox* m_kind;
    QLabel* m_session = nullptr;
    QStackedWidget* m_pages;
    QComboBox* m_presets = nullptr;
    QPlainTextEdit* m_prompt = nullptr;
    PathField* m_files = nullptr;
    PathField* m_table = nullptr;
    QLineEdit* m_column = nullptr;
    QLineEdit* m_domain = nullptr;
    QCheckBox* m_header = nullptr;
    QCheckBox* m_split = nullptr;
    QLineEdit* m_skip = nullptr;
    QSpinBox* m_maxDocuments;
    QCheckBox* m_chat;
};

}  // namespace moescope::widgets
