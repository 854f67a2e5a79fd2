// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/build_context.h"
#include "core/figures/removal.h"

#include <optional>
#include <string>
#include <vector>

/// Branches of a run by two things that were changed (C6, E1). Private to the builders.
namespace moescope::figures {

/// Outcomes by row and column: a layer and a number of experts, a criterion and a share.
class BranchTable {
public:
    /// nullopt when the figure's experiment has no such quantity. Throws Error(BadSession) for
    /// another shape than experiments write.
    [[nodiscard]] static std::optional<BranchTable> read(const BuildContext& context,
                                                         const std::string& quantity);
    [[nodiscard]] const std::vector<std::string>& rows() const { return m_table.labels(0); }
    [[nodiscard]] const std::vector<std::string>& columns() const { return m_table.labels(1); }
    [[nodiscard]] RemovalOutcome at(std::size_t row, std::size_t column) const {
        return m_table.at(row * columns().size() + column);
    }

private:
    explicit BranchTable(RemovalTable table) : m_table(std::move(table)) {}
    RemovalTable m_table;
};

/// What branches come to beside the intact model, a row each, behind columns that say which they
/// are.
class OutcomeRows {
public:
    /// `leads` are the columns that say which branch it is; columns of questions where the intact
    /// model has answered some.
    OutcomeRows(std::vector<TableColumn> leads, const RemovalOutcome& intact);
    /// Over the rows that follow.
    void section(const std::string& title);
    /// The branch's own columns have got their cells already.
    void add(const RemovalOutcome& outcome);
    [[nodiscard]] TableColumn& lead(std::size_t column) { return m_body.columns[column]; }
    [[nodiscard]] TableFigure take() { return std::move(m_body); }

private:
    TableFigure m_body;
    std::size_t m_leads;
    RemovalOutcome m_intact;
};

}  // namespace moescope::figures
