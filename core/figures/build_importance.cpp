// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/importance.h"
#include "core/figures/routed_text.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace moescope::figures {
namespace {

constexpr std::string_view kExperiment = "importance";

TableColumn& addColumn(TableFigure& body, std::string name, TableColumn::Kind kind) {
    body.columns.push_back({std::move(name), kind, {}, {}});
    return body.columns.back();
}

void addValues(const std::vector<ImportanceLayer>& layers, const ImportanceColumn& column,
               TableFigure& body) {
    static const std::string kDash = "\xE2\x80\x93";
    TableColumn& into =
        addColumn(body, std::string(column.criterion->title), TableColumn::Kind::Number);
    into.isDataOnly = !column.isThere();
    if (column.criterion->id == "removal") {  // measured: what all others only stand for
        into.keep = 1;
        into.leastDecimals = kRiseDecimals;
    } else if (column.criterion->id == "ean_sum") {  // the mean and the load say it
        into.keep = -1;
    }
    for (const ImportanceLayer& layer : layers) {
        for (int e = 0; e < layer.experts; ++e) {
            const double value = column.values[layer.firstRow + static_cast<std::size_t>(e)];
            into.numbers.push_back(value);
            into.texts.push_back(std::isnan(value) ? kDash : std::string());
        }
    }
}

void addTexts(const ImportanceTable& table, const std::vector<ImportanceLayer>& layers,
              const PruneList* list, TableFigure& body) {
    if (!table.super.empty()) {
        TableColumn& super = addColumn(body, "super", TableColumn::Kind::Text);
        super.keep = -1;
        for (const ImportanceLayer& layer : layers) {
            for (int e = 0; e < layer.experts; ++e) {
                super.texts.emplace_back(
                    table.super[layer.firstRow + static_cast<std::size_t>(e)] != 0 ? "yes" : "no");
            }
        }
    }
    if (list == nullptr || list->removedCount() == 0) {
        return;
    }
    TableColumn& goes = addColumn(body, "prune", TableColumn::Kind::Text);
    for (const ImportanceLayer& layer : layers) {
        for (int e = 0; e < layer.experts; ++e) {
            const bool removed = isRemoved(*list, layer.layer, e);
            if (removed) {
                body.flagged.push_back(goes.texts.size());
            }
            goes.texts.emplace_back(removed ? "goes" : "");
        }
    }
}

}  // namespace

Figure buildImportance(const BuildContext& context) {
    const auto table = importanceTable(context);
    const std::vector<ImportanceLayer> layers = shownLayers(context, *table);
    Figure figure = derivedFrame(context, kExperiment, "importance of experts", table->tokens);
    const std::string sorting = std::exchange(figure.howToRead, {});
    addPrunes(context, *table, figure);
    if (figure.howToRead.empty()) {  // else what would go is told, which takes its room
        figure.howToRead = sorting;
    }
    figure.howToRead += missingText(*table);
    figure.howToRead.erase(0, figure.howToRead.find_first_not_of(' '));
    TableFigure body;
    TableColumn& layerColumn = addColumn(body, "layer", TableColumn::Kind::Count);
    layerColumn.isDataOnly = context.request.layer.has_value();
    for (const ImportanceLayer& layer : layers) {
        for (int e = 0; e < layer.experts; ++e) {
            body.columns.front().numbers.push_back(layer.layer.value);
            body.layers.push_back(layer.layer);
            body.experts.push_back(e);
        }
    }
    body.rows = body.experts.size();
    addColumn(body, "expert", TableColumn::Kind::Count)
        .numbers.assign(body.experts.begin(), body.experts.end());
    for (const ImportanceColumn& column : table->columns) {
        addValues(layers, column, body);
    }
    addTexts(*table, layers, figure.prunes.get(), body);
    figure.body = std::move(body);
    return figure;
}

}  // namespace moescope::figures
