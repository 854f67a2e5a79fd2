// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/session_head.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/version.h"
#include "core/engine/device.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <random>

namespace moescope::engine {
namespace {

std::string randomUuid() {
    std::random_device source;
    std::array<unsigned char, 16> bytes{};
    for (unsigned char& byte : bytes) {
        byte = static_cast<unsigned char>(source() & 0xFFU);
    }
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        text += fmt::format("{:02x}", bytes[i]);
    }
    return text;
}

session::LayerSummary summaryOf(const model::LayerSpec& layer) {
    session::LayerSummary summary;
    if (layer.moe) {
        summary.experts = layer.moe->experts;
        summary.topK = layer.moe->topK;
        summary.sharedExperts = layer.moe->sharedCount;
        summary.intermediateSize = layer.moe->expert.intermediateSize;
    } else if (layer.dense) {
        summary.intermediateSize = layer.dense->intermediateSize;
    }
    return summary;
}

session::ModelSummary summaryOf(const OpenedModel& model, const std::string& card) {
    session::ModelSummary summary;
    summary.name = model.checkpoint.displayName();
    summary.identity = model.checkpoint.identity();
    summary.family = model.spec.family;
    summary.familyTitle = model.spec.familyTitle;
    summary.storedDtype = model.spec.storedDtype;
    summary.hiddenSize = model.spec.hiddenSize;
    summary.vocabSize = model.spec.vocabSize;
    for (const model::LayerSpec& layer : model.spec.layers) {
        summary.layers.push_back(summaryOf(layer));
    }
    summary.cardJson = card;
    summary.configText = model.checkpoint.configText();
    summary.tokenizerDescription = model.tokenizerDescription;
    summary.tokenizerIdentity = model.tokenizerIdentity;
    return summary;
}

/// The request's options with what changes numbers.
std::string runOptions(const RunRequest& request) {
    auto options = nlohmann::json::parse(request.optionsJson.empty() ? "{}" : request.optionsJson,
                                         nullptr, /*allow_exceptions=*/false);
    if (!options.is_object()) {
        throw Error(ErrorCode::Internal, "the run's options are not a JSON object");
    }
    if (request.topK) {
        options["top_k"] = *request.topK;
    }
    return options.dump();
}

session::ExperimentRecord recordOf(const PlannedExperiment& experiment,
                                   const model::ModelSpec& model) {
    session::ExperimentRecord record;
    record.id = experiment.info->id;
    record.version = experiment.info->version;
    record.title = experiment.info->title;
    record.definition = experiment.info->definition;
    record.optionsJson = experiment.optionsJson;
    const std::vector<Probe*> probes = experiment.all();
    record.hasModelPart = std::any_of(probes.begin(), probes.end(),
                                      [](const Probe* probe) { return probe->hasModelPart(); });
    for (int layer = 0; experiment.perLayer() && layer < model.layerCount(); ++layer) {
        if (model.layers[static_cast<std::size_t>(layer)].isRouted() && experiment.covers(layer)) {
            record.layers.emplace_back(layer);
        }
    }
    return record;
}

}  // namespace

session::Head makeHead(const RunRequest& request, const OpenedModels& models,
                       const std::vector<PlannedExperiment>& experiments, const RunPlan& plan) {
    session::Head head;
    head.uuid = randomUuid();
    head.title = request.title;
    head.model = summaryOf(*models.model, request.cardJson);
    for (std::size_t b = 0; b < models.baselines.size(); ++b) {
        const bool hasCard = b < request.baselineCards.size();
        head.baselines.push_back(
            summaryOf(*models.baselines[b], hasCard ? request.baselineCards[b] : std::string()));
    }
    head.corpus = request.corpus;
    head.choices = request.choices;
    head.run.device = describe(plan.devices);
    head.run.dtype = describe(plan.place.dtype);
    head.run.seed = request.seed;
    head.run.optionsJson = runOptions(request);
    head.run.commandLine = request.commandLine;
    head.run.createdUtc = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
    head.run.programVersion = kVersion;
    head.run.engineDescription = describeEngine(plan.devices);
    head.run.chatTemplate = request.chatTemplate;
    head.branches.push_back({BranchId{0}, "intact", "{}"});
    for (const PlannedExperiment& experiment : experiments) {
        head.experiments.push_back(recordOf(experiment, models.model->spec));
    }
    return head;
}

std::string residualFingerprint(const session::Head& head, bool withBaselines) {
    Sha256 hash;
    hash.update(head.model.identity);
    if (withBaselines) {
        for (const session::ModelSummary& baseline : head.baselines) {
            hash.update(baseline.identity);
        }
    }
    hash.update(head.run.dtype);
    for (const session::LayerSummary& layer : head.model.layers) {
        hash.update(fmt::format("{} ", layer.topK));
    }
    hash.update(std::as_bytes(std::span(head.corpus.ids)));
    hash.update(std::as_bytes(std::span(head.corpus.offsets)));
    return hash.hexDigest();
}

}  // namespace moescope::engine
