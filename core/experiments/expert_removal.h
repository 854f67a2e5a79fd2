// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// C4: what the text costs the model without an expert, in all layers at once and in one alone, or
/// without chosen sets of experts.
[[nodiscard]] std::unique_ptr<engine::BranchProbe> makeExpertRemoval(
    const ExperimentOptions& options = {});

}  // namespace moescope::experiments
