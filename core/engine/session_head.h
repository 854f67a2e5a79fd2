// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/opened_models.h"
#include "core/engine/run_plan.h"
#include "core/session/head.h"

namespace moescope::engine {

/// The head of the session that a run will write.
[[nodiscard]] session::Head makeHead(const RunRequest& request, const OpenedModels& models,
                                     const std::vector<PlannedExperiment>& experiments,
                                     const RunPlan& plan);

/// What a kept residual stream belongs to: model, baselines, dtype, number of experts and text.
[[nodiscard]] std::string residualFingerprint(const session::Head& head, bool withBaselines);

}  // namespace moescope::engine
