// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/branch_table.h"
#include "core/figures/limits.h"

#include <utility>

/// Losses with fewer experts (C6).
namespace moescope::figures {
namespace {

HeatMapPanel riseOf(const BranchTable& table, double intact, const std::string& title) {
    HeatMapPanel panel;
    panel.title = title;
    panel.rowLabels = table.rows();
    panel.columnLabels = table.columns();
    panel.matrix = {table.rows().size(), table.columns().size(), {}};
    for (std::size_t row = 0; row < table.rows().size(); ++row) {
        for (std::size_t column = 0; column < table.columns().size(); ++column) {
            panel.matrix.values.push_back(static_cast<float>(table.at(row, column).loss - intact));
        }
    }
    return panel;
}

void addRows(const BranchTable& table, const std::string& section, OutcomeRows& rows) {
    rows.section(section);
    for (std::size_t row = 0; row < table.rows().size(); ++row) {
        for (std::size_t column = 0; column < table.columns().size(); ++column) {
            rows.lead(0).texts.push_back(table.rows()[row]);
            rows.lead(1).texts.push_back(table.columns()[column]);
            rows.add(table.at(row, column));
        }
    }
}

}  // namespace

Figure buildFewerExperts(const BuildContext& context) {
    const RemovalOutcome intact = intactOutcome(context);
    HeatMapFigure body;
    if (const auto chosen = BranchTable::read(context, "chosen")) {
        body.panels.push_back(riseOf(*chosen, intact.loss, "chosen"));
    }
    if (const auto kept = BranchTable::read(context, "kept")) {
        body.panels.push_back(riseOf(*kept, intact.loss, "left"));
    }
    Figure figure =
        context.frame("loss with fewer experts from a layer on", context.require("intact").tokens);
    if (body.panels.empty()) {
        figure.body = NoticeFigure{"Every layer has as many experts as it chooses: none can go"};
        return figure;
    }
    Limits limits = std::pair(0.0, 0.0);
    for (const HeatMapPanel& panel : body.panels) {
        limits = widened(limits, panel.matrix, false);
    }
    const ColourRange& range = context.request.range;
    if (range.kind == ColourRange::Kind::Fixed) {
        limits = std::pair(range.low, range.high);
    }
    body.isPair = false;
    body.rowTitle = "from layer";
    body.firstRowAtBottom = true;
    body.bar = {makeRiseScale(context.request.colourMap.value_or(ColourMap::Diverging), limits),
                "rise of the loss (nat)"};
    for (const HeatMapPanel& panel : body.panels) {
        markBeyond(body.bar.scale, panel.matrix, false);
    }
    figure.howToRead =
        "A row: from this layer on, so many experts are chosen for a token (chosen), or only so "
        "many, the most used, are left (left). About 0: those layers do not need the others." +
        intactText(context, intact);
    figure.body = std::move(body);
    return figure;
}

Figure buildFewerExpertsTable(const BuildContext& context) {
    const RemovalOutcome intact = intactOutcome(context);
    OutcomeRows rows({{"from layer", TableColumn::Kind::Text, {}, {}},
                      {"experts", TableColumn::Kind::Text, {}, {}}},
                     intact);
    if (const auto chosen = BranchTable::read(context, "chosen")) {
        addRows(*chosen, "fewer experts chosen for a token", rows);
    }
    if (const auto kept = BranchTable::read(context, "kept")) {
        addRows(*kept, "only the most used experts left", rows);
    }
    Figure figure = context.frame("fewer experts, table", context.require("intact").tokens);
    figure.howToRead += intactText(context, intact);
    figure.body = rows.take();
    return figure;
}

}  // namespace moescope::figures
