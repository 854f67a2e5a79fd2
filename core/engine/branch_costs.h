// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run_plan.h"

#include <cstdint>

namespace moescope::engine {

/// Streams that a run with branches holds beside its own: of the intact model, and of one branch.
inline constexpr std::uint64_t kLeastStreams = 2;

/// Hidden states of so many tokens between two layers.
[[nodiscard]] std::uint64_t streamBytes(const RunPlan& plan, const OpenedModels& models,
                                        std::uint64_t tokens);

/// What the probes hold while branches pass, of the one that holds most.
[[nodiscard]] std::uint64_t branchState(const RunPlan& plan, const model::ModelSpec& spec,
                                        const text::TokenizedCorpus& corpus);

/// Adds memory, time and reading of experiments with branches, which run after all others, to the
/// estimate, and says how many pass at once. `corpus` is what losses are of; `passed` has
/// multiple-choice questions besides.
void costBranches(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  const text::TokenizedCorpus& passed, const Calibration& calibration);

}  // namespace moescope::engine
