// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/figure_cache.h"
#include "widgets/state/run_controller.h"
#include "widgets/state/selection.h"
#include "widgets/state/session_service.h"
#include "widgets/state/settings.h"

#include <QObject>

namespace moescope::widgets {

/// Where the programs' own files are.
struct InstallPaths {
    QString engine;        ///< moescope-engine, empty when absent
    QString demoSession;   ///< the precomputed demo, empty when absent
    QString demoModel;     ///< the demo's checkpoint, empty when absent
    QString demoBaseline;  ///< the dense model it came from, empty when absent
    QString demoText;      ///< its text corpus, empty when absent
};

/// Everything that panels share: settings, sessions, selection, figures, the run. Panels get a
/// reference and never each other. *GUI thread only*.
class Workspace : public QObject {
    Q_OBJECT
public:
    Workspace(InstallPaths paths, Settings& settings, SessionLoader loader = loadSession,
              QObject* parent = nullptr);

    [[nodiscard]] const InstallPaths& paths() const { return m_paths; }
    [[nodiscard]] Settings& settings() { return m_settings; }
    [[nodiscard]] SessionService& sessions() { return m_sessions; }
    [[nodiscard]] Selection& selection() { return m_selection; }
    [[nodiscard]] FigureCache& figures() { return m_figures; }
    [[nodiscard]] RunController& run() { return m_run; }

    /// The session all panels show; nullptr when none is open.
    [[nodiscard]] SessionSnapshot current() const { return m_current; }
    void setCurrent(int session);

Q_SIGNALS:
    /// Another session, or a newer state of the same one (`sameSession`).
    void currentChanged(const moescope::widgets::SessionSnapshot& session, bool sameSession);

private:
    void adopt(const SessionSnapshot& session);
    void replace(const SessionSnapshot& session);
    void forget(int session);
    void show(const SessionSnapshot& session);

    InstallPaths m_paths;
    Settings& m_settings;
    SessionService m_sessions;
    Selection m_selection;
    FigureCache m_figures;
    RunController m_run;
    SessionSnapshot m_current;
};

}  // namespace moescope::widgets
