// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/branch_measures.h"
#include "core/experiments/removal_branches.h"
#include "core/model/model_spec.h"

namespace moescope::experiments {

/// What expert_removal keeps: "everywhere", "single", "set" and "set_controls" with the measures of
/// each, and beside them losses and predictions of single tokens ("TABLE_token_loss",
/// "TABLE_predicted") where all branches of a table have them.
class RemovalTables {
public:
    /// `withTokens`: also what is much to write.
    RemovalTables(const RemovalBranches& planned, const BranchMeasures& losses, bool withTokens)
        : m_planned(planned), m_losses(losses), m_withTokens(withTokens) {}
    void add(const model::ModelSpec& model, session::Part& part) const;

private:
    using Cells = BranchMeasures::Cells;

    void addEverywhere(session::Part& part) const;
    void addSingle(const model::ModelSpec& model, session::Part& part) const;
    void addSets(session::Part& part) const;
    void addControls(session::Part& part) const;
    void addTokens(const std::string& table, std::vector<session::Axis> axes,
                   const std::string& without, const Cells& cells, session::Part& part) const;

    const RemovalBranches& m_planned;
    const BranchMeasures& m_losses;
    bool m_withTokens;
};

}  // namespace moescope::experiments
