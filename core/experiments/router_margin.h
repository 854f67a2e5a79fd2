// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// E2: how close each token's choice is, and whether it stands noise and bfloat16. Needs the top-k
/// pass alone.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeRouterMargin(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
