// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/models/experiment_choice_model.h"
#include "widgets/state/engine_process.h"
#include "widgets/state/workspace.h"

#include <QDialog>
#include <QMap>
#include <QTimer>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QListView;
class QPushButton;
class QSpinBox;
class QVBoxLayout;

namespace moescope::widgets {

class FormSection;
class PathField;
class PropertyPage;
class TextSourceEditor;

/// Asks for everything an analysis needs, shows the checkpoint's card and the estimate, and starts
/// it. Problems appear in the section they belong to; the dialog stays until the run has produced
/// something. *GUI thread only*.
class NewAnalysisDialog : public QDialog {
    Q_OBJECT
public:
    explicit NewAnalysisDialog(Workspace& workspace, QWidget* parent = nullptr);

    [[nodiscard]] AnalysisRequest request() const;
    void setCheckpoint(const QString& path);
    /// Fills the dialog with what adds to this session: its checkpoint and options, its own text,
    /// what it lacks of the experiments. `output` is its file, or a new one to copy it to first.
    void setSession(const SessionSnapshot& session, const QString& output);
    void setOutput(const QString& path);
    void setExperiments(const QStringList& ids);
    /// Files of experts to remove together, for pruning; `only`: without the curves.
    void setPruneLists(const QStringList& files, bool only);
    [[nodiscard]] TextSourceEditor& text() { return *m_text; }
    [[nodiscard]] FormSection& section(RequestField field);
    /// Starts the run, or shows what is in the way.
    void start();

private:
    void build();
    FormSection* addSection(RequestField field, const QString& name, const QString& title,
                            QWidget* content, int stretch = 0);
    [[nodiscard]] QWidget* checkpointPart();
    [[nodiscard]] QWidget* experimentsPart();
    [[nodiscard]] QWidget* listsRow(QWidget* parent);
    [[nodiscard]] int rowHeight() const;  ///< of the list of experiments
    [[nodiscard]] QWidget* machinePart();
    void placeMessages();
    void connectParts();

    /// True when the results go to the session's file, beside those that it has.
    [[nodiscard]] bool isAdding() const;
    /// Where the results go has changed, perhaps: the session's settings come or go.
    void takeTarget();
    void takeSessionText(bool isTaken);
    void takeSessionDtype();
    void fill(const AnalysisRequest& known);
    /// Baselines and fields of the machine that still hold what `old` says take what `now` says.
    void exchangeSettings(const AnalysisRequest& old, const AnalysisRequest& now);
    /// Where a copy of the session is added to: makes it; false when that cannot be, which is said.
    bool makeCopy(const AnalysisRequest& wanted);
    /// Removes the copy of a run that has nothing to add.
    void dropCopy();
    void takeCheckpoint();
    void suggestOutput();
    void scheduleEstimate();
    void askCard();
    void takeCard(EngineProcess::End end, const Problem& problem);
    void askEstimate();
    void takeEstimate(const session::RunEvent& event);
    void takeEstimateEnd(EngineProcess::End end, const Problem& problem);
    void clearProblems();
    void showProblem(RequestField field, const Problem& problem);
    void setStarting(bool starting);

    Workspace& m_workspace;
    QMap<RequestField, FormSection*> m_sections;
    PathField* m_checkpoint = nullptr;
    PropertyPage* m_card = nullptr;
    QLabel* m_cardHint = nullptr;  ///< until there is a card
    TextSourceEditor* m_text = nullptr;
    PathField* m_baseline = nullptr;
    ExperimentChoiceModel* m_experiments;
    QComboBox* m_device = nullptr;
    QComboBox* m_dtype = nullptr;
    QLineEdit* m_kept = nullptr;
    QLineEdit* m_removals = nullptr;
    PathField* m_choices = nullptr;
    PathField* m_pruneLists = nullptr;
    QCheckBox* m_listsOnly = nullptr;
    QLineEdit* m_memory = nullptr;
    QSpinBox* m_maxTokens = nullptr;
    QSpinBox* m_context = nullptr;
    PathField* m_output = nullptr;
    QVBoxLayout* m_experimentsColumn = nullptr;
    QLabel* m_estimate;
    QPushButton* m_start;
    EngineProcess m_cardProcess;
    EngineProcess m_estimateProcess;
    QTimer m_cardTimer;
    QTimer m_estimateTimer;
    QString m_suggested;
    SessionSnapshot m_session;  ///< that may be added to, or none
    QStringList m_replay;       ///< options of its run that the dialog does not ask for
    QString m_sessionOutput;    ///< its file, or that of a copy
    AnalysisRequest m_filled;   ///< as the session was offered
    QString m_copy;             ///< of the session, made by a start
    bool m_adds = false;        ///< isAdding() as the fields show it
    bool m_estimateAgain = false;
    bool m_cardAgain = false;
    bool m_starting = false;
};

}  // namespace moescope::widgets
