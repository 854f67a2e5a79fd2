// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace moescope::figures {
namespace {

std::string effectText(const PruneList& list) {
    std::string text;
    if (list.measured) {
        const PruneEffect& effect = *list.measured;
        text += fmt::format(
            " Measured without them: loss {:.4f} ({:+.4f}), perplexity {:.2f} ({:+.2f}), accuracy "
            "{:.3f} ({:+.3f}).",
            effect.loss, effect.loss - effect.intactLoss, std::exp(effect.loss),
            std::exp(effect.loss) - std::exp(effect.intactLoss), effect.accuracy,
            effect.accuracy - effect.intactAccuracy);
    } else if (!list.note.empty()) {
        text += fmt::format(" The loss without them is not known: {}.", list.note);
    }
    if (list.sumOfSingle && list.removedCount() > 1) {
        text += fmt::format(" The rises of each alone add up to {:+.4f}.", *list.sumOfSingle);
    }
    return text;
}

/// What would go, in words.
std::string pruneText(const PruneList& list) {
    const std::size_t count = list.removedCount();
    if (count == 0) {
        return {};
    }
    const char* scope = list.layers.size() < 2     ? ""
                        : list.choice.acrossLayers ? " in all layers together"
                                                   : " in their layers";
    return fmt::format(" Would go: {} of {} experts, {} by {}{}.", count, list.expertCount(),
                       list.criterion->lowGoes ? "the lowest" : "the highest",
                       list.criterion->title, scope) +
           effectText(list);
}

}  // namespace

std::vector<ImportanceLayer> shownLayers(const BuildContext& context,
                                         const ImportanceTable& table) {
    std::vector<ImportanceLayer> layers = table.layers;
    std::erase_if(layers, [&](const ImportanceLayer& layer) {
        return context.request.layer && layer.layer != *context.request.layer;
    });
    return layers;
}

std::string missingText(const ImportanceTable& table) {
    std::map<std::string, std::string> byExperiment;
    for (const ImportanceColumn& column : table.columns) {
        if (!column.isThere()) {
            std::string& titles = byExperiment[column.missing];
            titles += (titles.empty() ? "" : ", ") + std::string(column.criterion->title);
        }
    }
    std::string text;
    for (const auto& [experiment, titles] : byExperiment) {
        const std::string why = experiment == "all tokens"
                                    ? std::string("known of the whole text only")
                                    : "needs " + experiment;
        text += fmt::format("{}{} ({})", text.empty() ? " Missing: " : "; ", titles, why);
    }
    return text.empty() ? text : text + ".";
}

bool isRemoved(const PruneList& list, LayerId layer, int expert) {
    const auto found =
        std::find_if(list.layers.begin(), list.layers.end(),
                     [&](const PruneList::Layer& each) { return each.layer == layer; });
    return found != list.layers.end() &&
           std::binary_search(found->removed.begin(), found->removed.end(), expert);
}

void addPrunes(const BuildContext& context, const ImportanceTable& table, Figure& figure) {
    if (context.request.prune && context.request.prune->share > 0.0) {
        auto list =
            std::make_shared<const PruneList>(pruneList(context, table, *context.request.prune));
        figure.howToRead += pruneText(*list);
        figure.prunes = std::move(list);
    }
}

}  // namespace moescope::figures
