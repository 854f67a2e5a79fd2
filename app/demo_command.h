// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "widgets/state/workspace.h"

#include <filesystem>
#include <iosfwd>

namespace moescope::app {

/// `moescope demo --headless`: runs the main job on the demo (with the engine; without one, takes
/// the precomputed session), writes the session and all its figures into `folder` and says where
/// they are. Needs a QApplication. Throws Error; progress goes to `err`.
void runDemoHeadless(const widgets::InstallPaths& paths, const std::filesystem::path& folder,
                     std::ostream& out, std::ostream& err);

}  // namespace moescope::app
