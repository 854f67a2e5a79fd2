// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/branch_table.h"

#include <array>
#include <cmath>
#include <utility>

namespace moescope::figures {

std::optional<BranchTable> BranchTable::read(const BuildContext& context,
                                             const std::string& quantity) {
    std::optional<RemovalTable> table = RemovalTable::read(context, quantity, 2);
    return table ? std::optional(BranchTable(std::move(*table))) : std::nullopt;
}

OutcomeRows::OutcomeRows(std::vector<TableColumn> leads, const RemovalOutcome& intact)
    : m_leads(leads.size()), m_intact(intact) {
    m_body.columns = std::move(leads);
    for (const char* name :
         {"loss rises by", "loss", "perplexity", "accuracy", "accuracy rises by", "changed"}) {
        m_body.columns.push_back({name, TableColumn::Kind::Number, {}, {}});
    }
    m_body.columns[m_leads].leastDecimals = kRiseDecimals;
    if (!std::isnan(intact.choices)) {
        m_body.columns.push_back({"choices", TableColumn::Kind::Number, {}, {}});
        m_body.columns.push_back({"normalised by tokens", TableColumn::Kind::Number, {}, {}});
    }
}

void OutcomeRows::section(const std::string& title) {
    m_body.sections.push_back({m_body.rows, title});
}

void OutcomeRows::add(const RemovalOutcome& outcome) {
    const std::array values{outcome.loss - m_intact.loss,
                            outcome.loss,
                            std::exp(outcome.loss),
                            outcome.accuracy,
                            outcome.accuracy - m_intact.accuracy,
                            outcome.changed,
                            outcome.choices,
                            outcome.choicesNormalised};
    for (std::size_t c = m_leads; c < m_body.columns.size(); ++c) {
        m_body.columns[c].numbers.push_back(values[c - m_leads]);
    }
    ++m_body.rows;
}

}  // namespace moescope::figures
