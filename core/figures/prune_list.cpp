// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/prune_list.h"

#include "core/base/error.h"
#include "core/experiments/removed_experts.h"
#include "core/figures/figure.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::figures {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kCriteria{
    ImportanceCriterion{"load", "load", "share of the tokens"},
    ImportanceCriterion{"weight_mass", "weight mass", "routing weights, divided by all tokens"},
    ImportanceCriterion{"mean_weight", "mean weight", "mean routing weight of its tokens"},
    ImportanceCriterion{"ean_sum", "EAN sum", "sum of output norms of its tokens"},
    ImportanceCriterion{"ean_mean", "EAN mean", "mean output norm of its tokens"},
    ImportanceCriterion{"reap", "REAP", "mean weight times output norm of its tokens"},
    ImportanceCriterion{"largest_output", "largest", "largest magnitude of outputs"},
    ImportanceCriterion{"output_similarity", "near outputs", "similarity of the nearest outputs",
                        false},
    ImportanceCriterion{"weight_similarity", "near weights", "similarity of the nearest weights",
                        false},
    ImportanceCriterion{"removal", "removal", "rise of the loss without the expert"},
};

// NaN is no number in JSON.
Json number(double value) {
    return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json sourceOf(const Figure& figure) {
    const Provenance& from = figure.provenance;
    Json json{{"session", from.sessionUuid}, {"title", from.sessionTitle}, {"tokens", from.tokens}};
    if (!from.selection.empty()) {
        json["selection"] = from.selection;
    }
    json["dtype"] = from.dtype;
    json["created"] = from.createdUtc;
    json["software"] =
        "Moescope" + (from.programVersion.empty() ? std::string() : " " + from.programVersion);
    return json;
}

/// For --remove.
std::string removeText(const PruneList& list) {
    std::vector<experiments::RemovedExpert> removed;
    for (const PruneList::Layer& layer : list.layers) {
        for (const int expert : layer.removed) {
            removed.push_back({layer.layer.value, expert});
        }
    }
    return experiments::describe(removed);
}

Json effectOf(const PruneList& list) {
    if (!list.measured) {
        return nullptr;
    }
    const PruneEffect& effect = *list.measured;
    return {{"intact_loss", number(effect.intactLoss)},
            {"loss", number(effect.loss)},
            {"rise", number(effect.loss - effect.intactLoss)},
            {"intact_accuracy", number(effect.intactAccuracy)},
            {"accuracy", number(effect.accuracy)},
            {"changed_predictions", number(effect.changed)}};
}

Json layerOf(const PruneList::Layer& layer) {
    std::vector<int> kept;
    Json scores = Json::array();
    for (std::size_t e = 0; e < layer.scores.size(); ++e) {
        const auto expert = static_cast<int>(e);
        if (!std::binary_search(layer.removed.begin(), layer.removed.end(), expert)) {
            kept.push_back(expert);
        }
        scores.push_back(number(layer.scores[e]));
    }
    return {{"layer", layer.layer.value},
            {"experts", layer.scores.size()},
            {"top_k", layer.topK},
            {"threshold", layer.threshold ? number(*layer.threshold) : Json(nullptr)},
            {"removed", layer.removed},
            {"kept", kept},
            {"scores", scores}};
}

}  // namespace

std::span<const ImportanceCriterion> importanceCriteria() {
    return kCriteria;
}

const ImportanceCriterion* findCriterion(std::string_view id) {
    const auto* found =
        std::find_if(kCriteria.begin(), kCriteria.end(), [&](const ImportanceCriterion& known) {
            return std::equal(known.id.begin(), known.id.end(), id.begin(), id.end(),
                              [](char a, char b) { return a == (b == '-' ? '_' : b); });
        });
    return found == kCriteria.end() ? nullptr : &*found;
}

std::string criterionNames() {
    std::string names;
    for (const ImportanceCriterion& criterion : kCriteria) {
        names += (names.empty() ? "" : ", ") + std::string(criterion.id);
    }
    return names;
}

std::size_t PruneList::removedCount() const {
    std::size_t count = 0;
    for (const Layer& layer : layers) {
        count += layer.removed.size();
    }
    return count;
}

std::size_t PruneList::expertCount() const {
    std::size_t count = 0;
    for (const Layer& layer : layers) {
        count += layer.scores.size();
    }
    return count;
}

double PruneList::share() const {
    const std::size_t all = expertCount();
    return all == 0 ? 0.0 : static_cast<double>(removedCount()) / static_cast<double>(all);
}

std::string toJson(const Figure& figure) {
    if (figure.prunes == nullptr) {
        throw Error(ErrorCode::Usage,
                    fmt::format("{} has no list of experts: JSON is written of importance and "
                                "importance-map. Take csv for the numbers of a figure.",
                                figure.name));
    }
    const PruneList& list = *figure.prunes;
    const Provenance& from = figure.provenance;
    Json json{{"format", "moescope-prune-list"}, {"version", 1}};
    json["model"] = {
        {"name", from.model}, {"identity", from.modelIdentity}, {"family", from.family}};
    json["source"] = sourceOf(figure);
    json["criterion"] = {{"id", list.criterion->id},
                         {"name", list.criterion->name},
                         {"definition", from.definition},
                         {"removes", list.criterion->lowGoes ? "lowest" : "highest"},
                         {"scope", list.choice.acrossLayers ? "model" : "layer"},
                         {"share", list.share()},
                         {"asked_share", list.choice.share}};
    json["removed"] = list.removedCount();
    json["experts"] = list.expertCount();
    json["measured"] = effectOf(list);
    json["sum_of_single_rises"] = list.sumOfSingle ? number(*list.sumOfSingle) : Json(nullptr);
    if (!list.note.empty()) {
        json["note"] = list.note;
    }
    json["remove"] = removeText(list);
    json["layers"] = Json::array();
    json["list"] = Json::array();
    for (const PruneList::Layer& layer : list.layers) {
        json["layers"].push_back(layerOf(layer));
        for (const int expert : layer.removed) {
            json["list"].push_back(
                {{"layer", layer.layer.value},
                 {"expert", expert},
                 {"score", number(layer.scores[static_cast<std::size_t>(expert)])}});
        }
    }
    return json.dump(2) + "\n";
}

}  // namespace moescope::figures
