// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/next_token_loss.h"
#include "core/experiments/removal_branches.h"
#include "core/model/model_spec.h"

namespace moescope::experiments {

/// What expert_removal keeps: "everywhere", "single", "set" and "set_controls" with the measures of
/// each, and beside them the losses of single tokens where all branches of a table have them.
class RemovalTables {
public:
    /// `withTokens`: also what is much to write.
    RemovalTables(const RemovalBranches& planned, const NextTokenLoss& losses, bool withTokens)
        : m_planned(planned), m_losses(losses), m_withTokens(withTokens) {}
    void add(const model::ModelSpec& model, session::Part& part) const;

private:
    /// Branches in row order; absent where a table has no cell.
    using Cells = std::vector<std::optional<std::size_t>>;

    void addEverywhere(session::Part& part) const;
    void addSingle(const model::ModelSpec& model, session::Part& part) const;
    void addSets(session::Part& part) const;
    void addControls(session::Part& part) const;
    /// `axes` with labels, whose lengths multiply to the number of cells.
    void addTable(const std::string& name, const std::vector<session::Axis>& axes,
                  const std::string& longName, const Cells& cells, session::Part& part) const;
    void addTokens(const std::string& name, std::vector<session::Axis> axes,
                   const std::string& longName, const Cells& cells, session::Part& part) const;

    const RemovalBranches& m_planned;
    const NextTokenLoss& m_losses;
    bool m_withTokens;
};

}  // namespace moescope::experiments
