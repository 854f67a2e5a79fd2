// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/job_runner.h"
#include "widgets/state/workspace.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QToolButton;

namespace moescope::widgets {

class FigureView;
class MessageBar;

/// The analyzed text as coloured tokens (first choice at the current layer). A click selects a
/// token, dragging a range, a button its document; the search field finds tokens. *GUI thread
/// only*.
class TextStripPanel : public QWidget {
    Q_OBJECT
public:
    explicit TextStripPanel(Workspace& workspace, QWidget* parent = nullptr);
    ~TextStripPanel() override;

    [[nodiscard]] FigureView& view() { return *m_view; }
    /// Puts the cursor into the search field.
    void startSearch();
    /// Selects the next (+1) or previous (-1) place where the typed text begins; it may run over
    /// several tokens.
    void findNext(int direction);
    /// Selects the document of the current token, as a whole.
    void selectDocument();

protected:
    void showEvent(QShowEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void build();
    void refresh();
    void takeSelection(SelectionChanges changes);
    void take(const FigureKey& key, const Outcome<FigurePointer>& outcome);
    void search(int direction, bool includeCurrent);

    Workspace& m_workspace;
    QLineEdit* m_search;
    QLabel* m_found;
    QToolButton* m_document;
    QLabel* m_readOut;
    MessageBar* m_messages;
    QLabel* m_empty;  ///< in place of the text while no session is open
    FigureView* m_view;
    JobRunner m_runner;
    JobRunner m_searcher;
    bool m_stale = true;
};

/// The token at which `needle` begins next after (+1) or before (-1) `from`, ignoring case and
/// wrapping around; nullopt when it is nowhere. Text is compared as the model's bytes spell it.
[[nodiscard]] std::optional<std::uint64_t> findToken(const std::vector<std::string>& tokenBytes,
                                                     const std::string& needle, std::uint64_t from,
                                                     int direction, const std::stop_token& stop);

}  // namespace moescope::widgets
