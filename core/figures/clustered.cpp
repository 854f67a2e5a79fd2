// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/clustered.h"

#include "core/numerics/average_linkage.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace moescope::figures {
namespace {

std::size_t expertsOf(const HeatMapPanel& panel) {
    return panel.rowsBeforeGap > 0 ? panel.rowsBeforeGap : panel.matrix.rows;
}

/// Where panels do not know a pair, the others decide.
std::vector<double> distances(const std::vector<HeatMapPanel*>& panels, std::size_t experts,
                              Alikeness alikeness) {
    std::vector<double> result(experts * experts);
    for (std::size_t i = 0; i < experts; ++i) {
        for (std::size_t j = i + 1; j < experts; ++j) {
            double sum = 0.0;
            double count = 0.0;
            for (const HeatMapPanel* panel : panels) {
                const double alike = alikeness(panel->matrix, i, j);
                sum += alike == alike ? alike : 0.0;
                count += alike == alike ? 1.0 : 0.0;
            }
            result[i * experts + j] = 1.0 - sum / count;  // NaN: nobody knows
        }
    }
    return result;
}

template <typename Value>
void reorderCells(std::vector<Value>& cells, const std::vector<std::size_t>& order) {
    if (cells.empty()) {
        return;
    }
    std::vector<Value> moved;
    moved.reserve(cells.size());
    for (const std::size_t row : order) {
        for (const std::size_t column : order) {
            moved.push_back(cells[row * order.size() + column]);
        }
    }
    cells = std::move(moved);
}

void reorderLabels(std::vector<std::string>& labels, const std::vector<std::size_t>& order) {
    std::vector<std::string> moved;
    moved.reserve(order.size());
    for (const std::size_t place : order) {
        moved.push_back(std::move(labels[place]));
    }
    labels = std::move(moved);
}

void reorder(HeatMapPanel& panel, const std::vector<std::size_t>& experts) {
    std::vector<std::size_t> order(panel.matrix.rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::copy(experts.begin(), experts.end(), order.begin());
    reorderCells(panel.matrix.values, order);
    reorderCells(panel.low.values, order);
    reorderCells(panel.high.values, order);
    reorderCells(panel.cellMarks, order);
    reorderLabels(panel.rowLabels, order);
    reorderLabels(panel.columnLabels, order);
}

void orderTogether(const std::vector<HeatMapPanel*>& panels, Alikeness alikeness) {
    const std::size_t experts = expertsOf(*panels.front());
    const bool fit = std::all_of(panels.begin(), panels.end(), [&](const HeatMapPanel* panel) {
        return expertsOf(*panel) == experts && panel->matrix.rows == panel->matrix.columns;
    });
    if (!fit || experts < 3) {
        return;
    }
    const std::vector<std::size_t> order =
        numerics::averageLinkage(distances(panels, experts, alikeness), experts).order;
    for (HeatMapPanel* panel : panels) {
        reorder(*panel, order);
    }
}

}  // namespace

double meanOfHalves(const Matrix& map, std::size_t i, std::size_t j) {
    return 0.5 * (static_cast<double>(map.at(i, j)) + static_cast<double>(map.at(j, i)));
}

void orderByClustering(HeatMapFigure& body, Alikeness alikeness) {
    std::vector<HeatMapPanel*> ofOneLayer;
    for (HeatMapPanel& panel : body.panels) {
        if (panel.layer) {
            orderTogether({&panel}, alikeness);
        } else {
            ofOneLayer.push_back(&panel);
        }
    }
    if (!ofOneLayer.empty()) {
        orderTogether(ofOneLayer, alikeness);
    }
}

}  // namespace moescope::figures
