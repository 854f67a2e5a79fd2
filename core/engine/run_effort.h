// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run_plan.h"

#include <map>
#include <string>
#include <vector>

namespace moescope::engine {

/// What each layer of the model asks of processor and disk; nothing where no work is left.
/// Considers all of `plan` but its estimate: blocks are as `plan.memory` cuts them.
[[nodiscard]] std::vector<LayerEffort> layerEfforts(const RunPlan& plan, const OpenedModels& models,
                                                    const text::TokenizedCorpus& corpus);

/// Bytes of the embeddings' rows that a text touches; with `baselines` of theirs too.
[[nodiscard]] std::uint64_t embeddingBytes(const OpenedModels& models,
                                           const text::TokenizedCorpus& corpus, bool baselines);

/// How many blocks of a text's tokens are computed side by side, in lanes or on devices, of which
/// the one with most of the text decides: not whole where it is not shared out evenly.
[[nodiscard]] double lanesOf(const RunPlan& plan, const text::TokenizedCorpus& corpus);

/// All units of an experiment that are left.
struct UnitTotal {
    std::uint64_t units = 0, unitBytes = 0, resultBytes = 0;
    Effort effort;
};
[[nodiscard]] std::map<std::string, UnitTotal> unitTotals(const RunPlan& plan,
                                                          const OpenedModels& models,
                                                          const text::TokenizedCorpus& corpus);

/// Beginning a session and putting its parts together.
[[nodiscard]] Effort sessionEffort(const RunPlan& plan, std::uint64_t resultBytes);

/// What each experiment that is not done adds, its own work alone; those with branches are not
/// among them.
[[nodiscard]] std::vector<ExperimentCost> experimentCosts(const RunPlan& plan,
                                                          const OpenedModels& models,
                                                          const text::TokenizedCorpus& corpus,
                                                          const Calibration& calibration);

}  // namespace moescope::engine
