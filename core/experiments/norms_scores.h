// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// B2: per token and expert the L2 norm of the expert's output, before the routing weight, and the
/// router's score; [T, E] each, unrounded float32. Every token of the text has its row where they
/// fit into ExperimentOptions::keptBytes; else some have, [kept, E], with kept_tokens beside them.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeNormsScores(
    const ExperimentOptions& options = {});

}  // namespace moescope::experiments
