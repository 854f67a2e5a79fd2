// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// E1: what the text costs the model when a share of each layer's experts goes, the lowest by each
/// measure of importance, and at random beside them.
[[nodiscard]] std::unique_ptr<engine::BranchProbe> makePruning(
    const ExperimentOptions& options = {});

}  // namespace moescope::experiments
