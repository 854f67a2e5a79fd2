// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/request.h"
#include "widgets/state/job_runner.h"
#include "widgets/state/workspace.h"

#include <QWidget>

class QLabel;

namespace moescope::widgets {

class FigureControls;
struct FigureOptions;
class FigureView;
class MessageBar;

/// One figure with its controls, read-out and messages. It asks for what it shows when it is
/// visible and the selection or the session changed, and fetches the neighbouring layers ahead.
/// *GUI thread only*.
class FigurePanel : public QWidget {
    Q_OBJECT
public:
    FigurePanel(const figures::FigureInfo& info, Workspace& workspace, QWidget* parent = nullptr);
    ~FigurePanel() override;

    [[nodiscard]] const figures::FigureInfo& info() const { return m_info; }
    [[nodiscard]] FigureView& view() { return *m_view; }
    [[nodiscard]] const FigureView& view() const { return *m_view; }
    /// As one of several tiles: without the definition below and with narrow margins.
    void setTile(bool tile);
    /// What is shown, nullptr when nothing is.
    [[nodiscard]] FigurePointer figure() const;
    /// What would be asked for the layer (absent: as the panel shows it now).
    [[nodiscard]] figures::FigureRequest requestFor(std::optional<LayerId> layer = {}) const;
    /// Which experts would go, as chosen in another figure about it.
    void setPrune(const figures::PruneChoice& choice);
    /// Selects the token of the next lower (+1) or higher (-1) rise of loss, where the figure shows
    /// rises: first the largest.
    void stepRise(int direction);
    /// The sessions it is drawn of: the current one; with it those it compares with, of a series
    /// in the order of the list of sessions. Empty where a session is missing.
    [[nodiscard]] QList<SessionSnapshot> sessions() const;

Q_SIGNALS:
    /// The experiment behind this figure is not in the session; the user asks for it.
    void runRequested(const QString& experiment);
    /// The loss without the figure's list of experts is to be measured.
    void listRequested(const moescope::widgets::FigurePointer& figure);
    void figureShown();
    /// The user chose which experts would go.
    void pruneChosen(const moescope::figures::PruneChoice& choice);
    /// All about the selected expert is wanted.
    void cardRequested();
    /// A session to compare with is to be opened.
    void openRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void connectView();
    void takeSelection(SelectionChanges changes);
    void refresh();
    void request(const SessionSnapshot& session);
    void take(const FigureKey& key, const Outcome<FigurePointer>& outcome);
    void showFigure(const FigureKey& key, const FigurePointer& figure);
    void clearFigure();
    void showMissing();
    void showNoOther();
    void updateOthers();
    void showRise();
    [[nodiscard]] FigureKey keyFor(const SessionSnapshot& session,
                                   std::optional<LayerId> layer = {}) const;
    void planAhead(const SessionSnapshot& session);
    void prefetch();
    void takeRemoval(figures::FigureRequest& request) const;
    void updateHighlight();
    void selectPair(int row, int column);
    [[nodiscard]] std::optional<figures::TokenSelection> tokensFor(
        const FigureOptions& options) const;
    [[nodiscard]] std::optional<figures::TokenSelection> passage() const;
    void showSelection(const figures::Figure& figure);
    void requestMeasurement();
    void offerMeasurement(const figures::Figure& figure);
    void offerCurves();
    void prepareSelections(const SessionSnapshot& session);
    [[nodiscard]] std::optional<figures::RankRange> ranksFor(const FigureOptions& options,
                                                             std::optional<LayerId> layer) const;
    [[nodiscard]] bool dependsOn(SelectionChanges changes) const;

    const figures::FigureInfo& m_info;
    Workspace& m_workspace;
    FigureControls* m_controls;
    MessageBar* m_messages;
    MessageBar* m_selected;  ///< that only selected tokens are shown
    FigureView* m_view;
    QLabel* m_readOut;
    JobRunner m_runner;
    JobRunner m_prefetcher;
    QList<FigureKey> m_ahead;          ///< what is still to be fetched ahead
    std::optional<FigureKey> m_shown;  ///< what the view shows
    QString m_whyNoOther;              ///< of those that are open
    bool m_stale = true;
};

}  // namespace moescope::widgets
