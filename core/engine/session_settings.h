// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run.h"
#include "core/session/head.h"

#include <optional>
#include <string>
#include <vector>

namespace moescope::engine {

/// The number of chosen experts that a session was made with (--top-k); nothing: the model's own.
[[nodiscard]] std::optional<int> topKOf(const session::Head& head);

/// Puts what a session was made with where a request that adds to it leaves that open: number
/// type, number of chosen experts, and the dense baselines, where an experiment is still to be done
/// that compares with them. They are looked for where they were, and beside the request's
/// checkpoint. Returns what was taken, as the command line would say it: "--top-k 4".
/// Throws Error(BaselineMismatch) naming the experiment where a baseline is not found.
std::vector<std::string> takeSettings(const session::Head& existing, RunRequest& request);

}  // namespace moescope::engine
