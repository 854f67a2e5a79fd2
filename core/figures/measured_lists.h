// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/prune_list.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// Sets of experts whose removal a session has measured. Private to the builders.
namespace moescope::figures {

/// Layer and expert, ascending.
using ExpertSet = std::vector<std::pair<int, int>>;

/// A prune list that was measured (experiment pruning), or a chosen set (expert_removal).
struct MeasuredSet {
    std::string name;     ///< of the list; of a set its text, "0:3,5:1"
    std::size_t row = 0;  ///< in the table it stands in
    ExpertSet experts;
    PruneEffect effect;  ///< NaN while the run has not come so far
};

/// The lists of the experiment pruning, in their order. Throws Error(BadSession) for what
/// experiments do not write.
[[nodiscard]] std::vector<MeasuredSet> measuredLists(const BuildContext& context);
/// The chosen sets of the experiment expert_removal, without those whose text is not understood.
[[nodiscard]] std::vector<MeasuredSet> measuredSets(const BuildContext& context);

/// Routed experts of all layers.
[[nodiscard]] std::size_t routedExperts(const session::ModelSummary& model);

}  // namespace moescope::figures
