// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/info/session_card.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace moescope::info {
namespace {

using Json = nlohmann::ordered_json;
using session::ExperimentState;
using session::Head;
using session::ModelSummary;
using session::QuantityInfo;
using session::Session;

Json numbers(const std::vector<LayerId>& layers) {
    Json json = Json::array();
    for (const LayerId layer : layers) {
        json.push_back(layer.value);
    }
    return json;
}

/// Options are kept as JSON text; text that is none (a damaged file) stays a string.
Json embedded(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(text) : json;
}

Json modelJson(const ModelSummary& model) {
    Json layers = Json::array();
    int number = 0;
    for (const session::LayerSummary& layer : model.layers) {
        layers.push_back({{"layer", number++},
                          {"kind", layer.isRouted() ? "routed" : "dense"},
                          {"experts", layer.experts},
                          {"top_k", layer.topK},
                          {"shared_experts", layer.sharedExperts},
                          {"intermediate_size", layer.intermediateSize}});
    }
    return {{"name", model.name},
            {"identity", model.identity},
            {"family", model.family},
            {"family_title", model.familyTitle},
            {"stored_dtype", model.storedDtype},
            {"hidden_size", model.hiddenSize},
            {"vocab_size", model.vocabSize},
            {"tokenizer", model.tokenizerDescription},
            {"tokenizer_identity", model.tokenizerIdentity},
            {"layers", layers}};
}

/// The routed layers' own number, the largest where they differ.
int largest(const ModelSummary& model, int session::LayerSummary::*member) {
    int value = 0;
    for (const session::LayerSummary& layer : model.layers) {
        value = std::max(value, layer.*member);
    }
    return value;
}

Json runJson(const session::RunSummary& run) {
    return {{"device", run.device},
            {"dtype", run.dtype},
            {"seed", run.seed},
            {"options", embedded(run.optionsJson)},
            {"command_line", run.commandLine},
            {"created_utc", run.createdUtc},
            {"program_version", run.programVersion},
            {"engine", run.engineDescription},
            {"chat_template", run.chatTemplate}};
}

std::string_view stateWord(ExperimentState state) {
    return state == ExperimentState::Done      ? "done"
           : state == ExperimentState::Running ? "running"
                                               : "planned";
}

/// null where there are no questions.
Json questionsJson(const text::TokenizedChoices& choices) {
    if (choices.empty()) {
        return nullptr;
    }
    return {{"source", choices.source},
            {"questions", choices.answer.size()},
            {"choices", choices.textCount()},
            {"tokens", choices.ids.size()},
            {"chance", choices.chance()}};
}

Json experimentsJson(const Head& head) {
    Json json = Json::array();
    for (const session::ExperimentRecord& record : head.experiments) {
        json.push_back({{"id", record.id},
                        {"title", record.title},
                        {"version", record.version},
                        {"state", stateWord(record.state)},
                        {"options", embedded(record.optionsJson)},
                        {"layers", numbers(record.layers)},
                        {"layers_done", numbers(record.layersDone)}});
    }
    return json;
}

Json datasetJson(const QuantityInfo& info) {
    Json axes = Json::array();
    Json shape = Json::array();
    if (!info.layers.empty()) {
        axes.push_back("layer");
        shape.push_back(info.layers.size());
    }
    for (const session::Axis& axis : info.axes) {
        axes.push_back(axis.name);
    }
    for (const std::uint64_t size : info.shape) {
        shape.push_back(size);
    }
    return {{"path", info.path},
            {"shape", shape},
            {"dtype", name(info.type)},
            {"axes", axes},
            {"layers", numbers(info.layers)},
            {"branch", info.id.branch.value},
            {"experiment", info.id.experiment},
            {"quantity", info.id.quantity},
            {"tokens", info.tokens}};
}

}  // namespace

std::string sessionJson(const Session& session) {
    const Head& head = session.head();
    Json baselines = Json::array();
    for (const ModelSummary& baseline : head.baselines) {
        baselines.push_back(modelJson(baseline));
    }
    Json branches = Json::array();
    for (const session::Branch& branch : head.branches) {
        branches.push_back({{"id", branch.id.value},
                            {"name", branch.name},
                            {"intervention", embedded(branch.interventionJson)}});
    }
    Json datasets = Json::array();
    for (const QuantityInfo& info : session.quantities()) {
        datasets.push_back(datasetJson(info));
    }
    const Json json{{"kind", "session"},
                    {"path", session.path().string()},
                    {"format", "moescope-session"},
                    {"format_version", session.schemaVersion()},
                    {"complete", !session.isPartial()},
                    {"uuid", head.uuid},
                    {"title", head.title},
                    {"layers", head.model.layers.size()},
                    {"experts", largest(head.model, &session::LayerSummary::experts)},
                    {"top_k", largest(head.model, &session::LayerSummary::topK)},
                    {"tokens", head.corpus.tokenCount()},
                    {"documents", head.corpus.documentCount()},
                    {"domains", head.corpus.domains},
                    {"questions", questionsJson(head.choices)},
                    {"model", modelJson(head.model)},
                    {"baselines", baselines},
                    {"run", runJson(head.run)},
                    {"branches", branches},
                    {"experiments", experimentsJson(head)},
                    {"datasets", datasets},
                    {"warnings", session.warnings()}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace moescope::info
