// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <QString>

namespace moescope::app {

/// Finds the engine and the demo from where the program lies: an installation (bin beside
/// share/moescope) or a build tree (build/PRESET/bin below the sources, with resources/).
[[nodiscard]] widgets::InstallPaths findInstallPaths(const QString& programFolder);

/// The analysis behind the demo session, so that it can be run again into `output`.
[[nodiscard]] widgets::AnalysisRequest demoRequest(const widgets::InstallPaths& paths,
                                                   const QString& output);

}  // namespace moescope::app
