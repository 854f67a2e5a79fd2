// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/job_runner.h"
#include "widgets/state/workspace.h"

#include <QTimer>
#include <QWidget>

#include <functional>
#include <string>
#include <vector>

class QLabel;
class QLineEdit;
class QToolButton;

namespace moescope::widgets {

class FigureView;
class MessageBar;

/// The analyzed text as coloured tokens (first choice at the current layer). A click selects a
/// token, dragging a range, buttons its document or the documents of its domain; the search field
/// finds tokens, two buttons those of the selected expert. *GUI thread only*.
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
    /// Selects all documents of the current token's domain.
    void selectDomain();
    /// Selects the next (+1) or previous (-1) token that chooses the selected expert at this layer,
    /// first or after others; without one, of the expert that the current token chose first.
    void findNextOfExpert(int direction);

Q_SIGNALS:
    /// All about the selected expert is wanted.
    void cardRequested();

protected:
    void showEvent(QShowEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    /// What the field's text was found at.
    struct Found {
        int session = 0;
        std::string needle;
        std::vector<std::uint64_t> tokens;  ///< ascending
    };

    /// The tokens that choose an expert.
    struct OfExpert {
        int session = 0, revision = 0;
        LayerId layer;
        BranchId branch;
        std::optional<int> expert;          ///< absent: of the current token's first choice
        std::vector<std::uint64_t> tokens;  ///< ascending
        [[nodiscard]] bool isOfSame(const OfExpert& other) const;
    };

    void build();
    void connectAll();
    QToolButton* addButton(const QString& name, const QString& text, const QString& toolTip);
    void refresh();
    void takeSelection(SelectionChanges changes);
    void take(const FigureKey& key, const Outcome<FigurePointer>& outcome);
    void search(int direction);
    void goTo(const std::vector<std::uint64_t>& tokens, int direction, QLabel* count);
    void goToOfExpert(int direction);
    /// Fills m_ofExpert with the tokens of the wanted expert, then calls.
    void searchOfExpert(const std::function<void()>& found);
    [[nodiscard]] OfExpert wantedOfExpert() const;
    void showPlace();
    /// Counts the tokens of the selected expert, in the routing that the text is drawn with.
    void countPlace();
    void forgetSession();
    void updateButtons();

    Workspace& m_workspace;
    QLineEdit* m_search;
    QToolButton* m_previous;
    QToolButton* m_next;
    QLabel* m_count;  ///< "3 of 17"
    QToolButton* m_document;
    QToolButton* m_domain;
    QToolButton* m_previousOfExpert;
    QToolButton* m_nextOfExpert;
    QLabel* m_expertCount;  ///< "3 of 17", of the expert's tokens
    QLabel* m_readOut;
    MessageBar* m_messages;
    QLabel* m_empty;  ///< in place of the text while no session is open
    FigureView* m_view;
    JobRunner m_runner;
    JobRunner m_searcher;
    JobRunner m_expertSearcher;
    JobRunner m_placeCounter;
    QTimer m_placeTimer;   ///< while layers are stepped through nothing is counted
    FigureKey m_shownKey;  ///< of the view's figure
    Found m_found;
    OfExpert m_ofExpert;
    bool m_stale = true;
};

}  // namespace moescope::widgets
