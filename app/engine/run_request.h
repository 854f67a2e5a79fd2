// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/analyze_options.h"
#include "core/base/log.h"
#include "core/engine/run.h"

#include <string>

/// moescope-engine without LibTorch: from options to a run, and from events to text.
namespace moescope::app {

/// Reads and tokenizes the text and describes the models: everything of a run that needs no
/// weights. Throws Error(FileNotFound | FileUnreadable | BadCheckpoint | BadTokenizer | BadText |
/// BaselineMismatch ...) naming what is wrong. `log` hears what a user may want to know.
[[nodiscard]] engine::RunRequest makeRunRequest(const cli::AnalyzeOptions& options,
                                                const std::string& commandLine, const LogSink& log);

}  // namespace moescope::app
