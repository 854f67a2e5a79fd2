// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/removal_tables.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace moescope::experiments {
namespace {

std::vector<std::string> numbersTo(std::size_t count) {
    std::vector<std::string> labels;
    labels.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        labels.push_back(std::to_string(i));
    }
    return labels;
}

Shape shapeOf(const std::vector<session::Axis>& axes) {
    Shape shape;
    shape.reserve(axes.size() + 1);
    for (const session::Axis& axis : axes) {
        shape.push_back(axis.labels.size());
    }
    return shape;
}

}  // namespace

void RemovalTables::addTokens(const std::string& table, std::vector<session::Axis> axes,
                              const std::string& without, const Cells& cells,
                              session::Part& part) const {
    const bool areThere = std::all_of(cells.begin(), cells.end(), [&](const auto& cell) {
        return !cell || m_losses.hasTokens(*cell);
    });
    if (!m_withTokens || !areThere) {
        return;
    }
    const std::size_t tokens = m_losses.tokens(std::nullopt).loss.size();
    Shape shape = shapeOf(axes);
    shape.push_back(tokens);
    NdArray losses(ElementType::F32, shape);
    NdArray predicted(ElementType::U32, shape);
    const std::span<float> lossRows = losses.values<float>();
    const std::span<std::uint32_t> predictedRows = predicted.values<std::uint32_t>();
    std::fill(lossRows.begin(), lossRows.end(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t cell = 0; cell < cells.size(); ++cell) {
        if (cells[cell]) {
            const BranchMeasures::TokenRows row = m_losses.tokens(*cells[cell]);
            const auto at = static_cast<std::ptrdiff_t>(cell * tokens);
            std::copy(row.loss.begin(), row.loss.end(), lossRows.begin() + at);
            std::copy(row.predicted.begin(), row.predicted.end(), predictedRows.begin() + at);
        }
    }
    axes.push_back({"position", {}});
    part.quantities.push_back({table + "_token_loss", axes,
                               "loss of the token that follows, " + without, "nat",
                               std::move(losses)});
    part.quantities.push_back({table + "_predicted", std::move(axes),
                               "token id that is predicted to follow, " + without, "1",
                               std::move(predicted)});
}

void RemovalTables::addEverywhere(session::Part& part) const {
    if (m_planned.everywhere == 0) {
        return;
    }
    Cells cells;
    for (std::size_t branch = 0; branch < m_planned.everywhere; ++branch) {
        cells.emplace_back(branch);
    }
    const std::vector<session::Axis> axes{{"expert", numbersTo(cells.size())}};
    const std::string without = "without the expert of this index in any layer";
    m_losses.addTable("everywhere", axes, without, cells, part);
    addTokens("everywhere", axes, without, cells, part);
}

void RemovalTables::addSingle(const model::ModelSpec& model, session::Part& part) const {
    std::vector<std::string> layers;
    std::vector<std::size_t> experts;  // of each of them
    for (const model::LayerSpec& layer : model.layers) {
        if (canLose(layer)) {
            layers.push_back(std::to_string(&layer - model.layers.data()));
            experts.push_back(static_cast<std::size_t>(layer.moe->experts));
        }
    }
    if (m_planned.single == 0) {
        return;
    }
    const std::size_t widest = *std::max_element(experts.begin(), experts.end());
    Cells cells;
    std::size_t branch = m_planned.everywhere;
    for (const std::size_t count : experts) {
        for (std::size_t e = 0; e < widest; ++e) {
            cells.push_back(e < count ? std::optional(branch++) : std::nullopt);
        }
    }
    const std::vector<session::Axis> axes{{"at_layer", layers}, {"expert", numbersTo(widest)}};
    const std::string without = "without one expert in one layer";
    m_losses.addTable("single", axes, without, cells, part);
    addTokens("single", axes, without, cells, part);
}

void RemovalTables::addSets(session::Part& part) const {
    if (m_planned.sets.empty()) {
        return;
    }
    Cells cells;
    for (std::size_t set = 0; set < m_planned.sets.size(); ++set) {
        cells.emplace_back(m_planned.setBranches[set]);
    }
    const std::vector<session::Axis> axes{{"set", m_planned.sets}};
    const std::string without = "without the experts of this set";
    m_losses.addTable("set", axes, without, cells, part);
    addTokens("set", axes, without, cells, part);
    addControls(part);
}

/// And which experts they remove.
void RemovalTables::addControls(session::Part& part) const {
    constexpr std::size_t kColumns = 4;
    const std::size_t most =
        *std::max_element(m_planned.controls.begin(), m_planned.controls.end());
    if (most == 0) {
        return;
    }
    Cells cells;
    std::vector<std::uint32_t> experts;
    for (std::size_t set = 0; set < m_planned.sets.size(); ++set) {
        for (std::size_t c = 0; c < most; ++c) {
            if (c >= m_planned.controls[set]) {
                cells.emplace_back(std::nullopt);
                continue;
            }
            const std::size_t branch = m_planned.ofControl(set, c);
            cells.emplace_back(branch);
            for (const RemovedExpert& removed : removedBy(m_planned.branches.at(branch))) {
                experts.insert(experts.end(),
                               {static_cast<std::uint32_t>(set), static_cast<std::uint32_t>(c),
                                static_cast<std::uint32_t>(removed.layer.value_or(0)),
                                static_cast<std::uint32_t>(removed.expert)});
            }
        }
    }
    m_losses.addTable("set_controls", {{"set", m_planned.sets}, {"control", numbersTo(most)}},
                      "without as many experts of the same layers, of like load", cells, part);
    part.quantities.push_back(
        {"set_control_experts",
         {{"removed", {}}, {"column", {"set", "control", "layer", "expert"}}},
         "experts that the controls remove",
         "1",
         NdArray::from<std::uint32_t>({experts.size() / kColumns, kColumns}, experts)});
}

void RemovalTables::add(const model::ModelSpec& model, session::Part& part) const {
    addEverywhere(part);
    addSingle(model, part);
    addSets(part);
}

}  // namespace moescope::experiments
