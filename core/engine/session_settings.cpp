// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/session_settings.h"

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/experiments/baseline_use.h"
#include "core/experiments/catalogue.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace moescope::engine {
namespace {

namespace fs = std::filesystem;

/// A record is done once its own layers are there, which may be some of those that are asked for.
bool hasLayers(const session::Head& existing, const session::ExperimentRecord& record,
               const ExperimentRequest& asked) {
    const auto has = [&](int layer) {
        return std::find(record.layers.begin(), record.layers.end(), LayerId{layer}) !=
               record.layers.end();
    };
    const auto isAsked = [&](int layer) {
        return asked.layers.empty() ||
               std::find(asked.layers.begin(), asked.layers.end(), layer) != asked.layers.end();
    };
    bool all = true;
    for (int layer = 0; layer < static_cast<int>(existing.model.layers.size()); ++layer) {
        const bool isRouted = existing.model.layers[static_cast<std::size_t>(layer)].isRouted();
        all = all && (!isRouted || !isAsked(layer) || has(layer));
    }
    return all || record.layers.empty();  // empty: of the whole model
}

bool isDone(const session::Head& existing, const ExperimentRequest& asked,
            const experiments::ExperimentInfo& info) {
    return std::any_of(existing.experiments.begin(), existing.experiments.end(),
                       [&](const session::ExperimentRecord& record) {
                           return record.id == info.id && record.version == info.version &&
                                  record.optionsJson == asked.optionsJson &&
                                  record.state == session::ExperimentState::Done &&
                                  hasLayers(existing, record, asked);
                       });
}

/// The first experiment that is still to be done and compares with baselines.
const experiments::ExperimentInfo* whoCompares(const session::Head& existing,
                                               const RunRequest& request) {
    for (const ExperimentRequest& asked : request.experiments) {
        const auto* info = experiments::findExperiment(asked.id);
        if (info != nullptr && experiments::comparesBaselines(info->id) &&
            !isDone(existing, asked, *info)) {
            return info;
        }
    }
    return nullptr;
}

/// Where a model of a session may lie: where it was, and beside the checkpoint of now.
std::vector<fs::path> placesOf(const session::ModelSummary& model, const fs::path& checkpoint) {
    std::vector<fs::path> places;
    const auto card = nlohmann::json::parse(model.cardJson, nullptr, /*allow_exceptions=*/false);
    if (card.is_object() && card.contains("folder") && card["folder"].is_string()) {
        places.emplace_back(card["folder"].get<std::string>());
    }
    std::error_code ignored;
    const fs::path here = fs::weakly_canonical(checkpoint, ignored);
    places.push_back(here.parent_path() / model.name);
    return places;
}

std::optional<fs::path> find(const session::ModelSummary& model, const fs::path& checkpoint) {
    for (const fs::path& place : placesOf(model, checkpoint)) {
        std::error_code ignored;
        if (!fs::exists(place, ignored)) {
            continue;
        }
        try {
            if (checkpoint::Checkpoint(place).identity() == model.identity) {
                return place;
            }
        } catch (const Error&) {
            continue;  // another thing by that name
        }
    }
    return std::nullopt;
}

void takeBaselines(const session::Head& existing, RunRequest& request,
                   std::vector<std::string>& taken) {
    const auto* comparing = whoCompares(existing, request);
    if (comparing == nullptr || !request.baselines.empty()) {
        return;
    }
    for (const session::ModelSummary& baseline : existing.baselines) {
        const auto place = find(baseline, request.checkpoint);
        if (!place) {
            throw Error(
                ErrorCode::BaselineMismatch,
                fmt::format("{} compares with the dense baseline {} that {} was made "
                            "with, which is not where it was: say where it is with "
                            "--baseline, or leave {} out.",
                            comparing->id, baseline.name, request.session.string(), comparing->id));
        }
        taken.push_back("--baseline " + place->string());
        request.baselines.push_back(*place);
        request.baselineCards.push_back(baseline.cardJson);
    }
}

}  // namespace

std::optional<int> topKOf(const session::Head& head) {
    const auto made =
        nlohmann::json::parse(head.run.optionsJson, nullptr, /*allow_exceptions=*/false);
    return made.is_object() && made.contains("top_k") && made["top_k"].is_number_integer()
               ? std::optional(made["top_k"].get<int>())
               : std::nullopt;
}

std::vector<std::string> takeSettings(const session::Head& existing, RunRequest& request) {
    std::vector<std::string> taken;
    if (request.dtype == "auto" && !existing.run.dtype.empty()) {
        request.dtype = existing.run.dtype;
    }
    if (request.corpus.ids.empty()) {
        request.chatTemplate = existing.run.chatTemplate;
    }
    if (!request.topK && topKOf(existing)) {
        request.topK = topKOf(existing);
        taken.push_back(fmt::format("--top-k {}", *request.topK));
    }
    takeBaselines(existing, request, taken);
    return taken;
}

}  // namespace moescope::engine
