// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/figures/export.h"
#include "widgets/state/job_runner.h"
#include "widgets/state/workspace.h"

#include <QDialog>
#include <QStringList>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QRadioButton;

namespace moescope::widgets {

class FigurePanel;
class MessageBar;

/// Writes the current figure, or the same figure of all layers, to files. Stays responsive: figures
/// are built on the I/O lane and written one per turn of the event loop. *GUI thread only*.
class ExportDialog : public QDialog {
    Q_OBJECT
public:
    ExportDialog(Workspace& workspace, const FigurePanel& panel, QWidget* parent = nullptr);

    [[nodiscard]] ExportOptions options() const;
    /// File name of one figure: "tiny-mixtral_rank-counts_layer-03.svg".
    [[nodiscard]] QString fileName(std::optional<LayerId> layer) const;
    [[nodiscard]] QString freePath(std::optional<LayerId> layer) const;

Q_SIGNALS:
    void exported(const QStringList& files);

private:
    void build();
    void setUpControls();
    [[nodiscard]] QLayout* widthChoice();
    [[nodiscard]] QLayout* folderChoice();
    void updateControls();
    void begin();
    void next();
    /// What was chosen for the last export, from and to the settings.
    void recall();
    void remember();
    /// What the tokens field says; false after telling that it makes no sense.
    [[nodiscard]] bool readTokens();
    [[nodiscard]] bool growsWithText() const;
    [[nodiscard]] QString suggestedTokens() const;
    [[nodiscard]] QWidget* tokenChoice();
    void write(std::optional<LayerId> layer, const figures::Figure& figure);
    void end();
    [[nodiscard]] QString folder() const;

    Workspace& m_workspace;
    SessionSnapshot m_session;
    const FigurePanel& m_panel;
    figures::FigureRequest m_request;
    QList<SessionSnapshot> m_sessions;  ///< that the figure is drawn of
    QRadioButton* m_one;
    QRadioButton* m_all;
    QComboBox* m_format;
    QDoubleSpinBox* m_width;
    QDoubleSpinBox* m_dpi;
    QComboBox* m_theme;
    QCheckBox* m_title;
    QCheckBox* m_caption;
    QLineEdit* m_tokens;  ///< only for figures that grow with the text
    QLineEdit* m_folder;
    MessageBar* m_messages;
    QLabel* m_progress;
    QPushButton* m_export;
    JobRunner m_runner;
    QList<std::optional<LayerId>> m_pending;
    QStringList m_written;
};

}  // namespace moescope::widgets
