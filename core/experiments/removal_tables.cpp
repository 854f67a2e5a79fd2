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

void RemovalTables::addTokens(const std::string& name, std::vector<session::Axis> axes,
                              const std::string& longName, const Cells& cells,
                              session::Part& part) const {
    const bool areThere = std::all_of(cells.begin(), cells.end(), [&](const auto& cell) {
        return !cell || m_losses.hasTokens(*cell);
    });
    if (!m_withTokens || !areThere) {
        return;
    }
    const std::size_t tokens = m_losses.tokenLoss(std::nullopt).size();
    Shape shape = shapeOf(axes);
    shape.push_back(tokens);
    NdArray values(ElementType::F32, shape);
    const std::span<float> rows = values.values<float>();
    std::fill(rows.begin(), rows.end(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t cell = 0; cell < cells.size(); ++cell) {
        if (cells[cell]) {
            const std::vector<float>& row = m_losses.tokenLoss(*cells[cell]);
            std::copy(row.begin(), row.end(),
                      rows.begin() + static_cast<std::ptrdiff_t>(cell * tokens));
        }
    }
    axes.push_back({"position", {}});
    part.quantities.push_back({name, std::move(axes), longName, "nat", std::move(values)});
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
    m_losses.addTable("everywhere", axes, "without the expert of this index in any layer", cells,
                      part);
    addTokens("everywhere_token_loss", axes,
              "loss of the token that follows, without the expert of this index in any layer",
              cells, part);
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
    m_losses.addTable("single", axes, "without one expert in one layer", cells, part);
    addTokens("single_token_loss", axes,
              "loss of the token that follows, without one expert in one layer", cells, part);
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
    m_losses.addTable("set", axes, "without the experts of this set", cells, part);
    addTokens("set_token_loss", axes, "loss of the token that follows, without the set's experts",
              cells, part);
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
            for (const auto& [layer, change] : m_planned.branches.at(branch).layers) {
                for (const int expert : removedIn(change)) {
                    experts.insert(experts.end(),
                                   {static_cast<std::uint32_t>(set), static_cast<std::uint32_t>(c),
                                    static_cast<std::uint32_t>(layer.value),
                                    static_cast<std::uint32_t>(expert)});
                }
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
