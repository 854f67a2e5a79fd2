// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/describe.h"
#include "core/model/model_card.h"
#include "core/model/published_figures.h"

#include <nlohmann/json.hpp>

namespace moescope::model {
namespace {

using Json = nlohmann::ordered_json;

Json groupsJson(const std::vector<LayerGroup>& groups) {
    Json list = Json::array();
    for (const auto& [text, layers] : groups) {
        list.push_back({{"description", text}, {"layers", layers}});
    }
    return list;
}

Json attentionJson(const LayerSpec& layer) {
    if (const auto& delta = layer.delta) {
        return {{"kind", "gated_delta_net"},
                {"key_heads", delta->keyHeads},
                {"value_heads", delta->valueHeads},
                {"key_dimension", delta->keyDim},
                {"value_dimension", delta->valueDim}};
    }
    const AttentionSpec& attention = layer.attention;
    Json json{{"kind", attention.latent ? "latent" : "attention"},
              {"query_heads", attention.headsQ},
              {"key_value_heads", attention.headsKv},
              {"head_dimension", attention.headDim},
              {"query_key_value_bias", attention.qkvBias},
              {"output_bias", attention.outputBias},
              {"rope_theta", attention.rope.theta},
              {"positions", attention.rope.maxPositions}};
    json["sliding_window"] = attention.slidingWindow ? Json(*attention.slidingWindow) : Json();
    json["chunk"] = attention.chunk ? Json(*attention.chunk) : Json();
    return json;
}

Json layersJson(const ModelSpec& spec) {
    Json list = Json::array();
    for (int i = 0; i < spec.layerCount(); ++i) {
        const auto& layer = spec.layers[static_cast<std::size_t>(i)];
        Json entry{{"layer", i}, {"kind", layer.isRouted() ? "routed" : "dense"}};
        if (layer.moe) {
            entry["experts"] = layer.moe->experts;
            entry["experts_per_token"] = layer.moe->topK;
            entry["shared_experts"] = layer.moe->sharedCount;
            entry["expert_width"] = layer.moe->expert.intermediateSize;
            entry["router"] = routerRule(*layer.moe);
        } else {
            entry["width"] = layer.dense->intermediateSize;
        }
        entry["attention"] = attentionJson(layer);
        list.push_back(std::move(entry));
    }
    return list;
}

Json parametersJson(const ParameterAccount& account) {
    Json total = Json::object();
    Json active = Json::object();
    for (const auto component : kComponents) {
        total[std::string(name(component))] = account.of(component);
        active[std::string(name(component))] = account.activeOf(component);
    }
    Json references = Json::array();
    for (const auto& reference : denseReferences()) {
        references.push_back({{"name", reference.title},
                              {"parameters", reference.parameters()},
                              {"source", reference.source}});
    }
    return {{"total", sum(account.total)},
            {"active", sum(account.active)},
            {"active_without_input_embedding", account.activeWithoutInputEmbedding()},
            {"total_by_component", std::move(total)},
            {"active_by_component", std::move(active)},
            {"dense_references", std::move(references)}};
}

void addSpec(const ModelCard& card, Json& json) {
    const auto& spec = *card.spec;
    json["family"] = spec.family;
    json["family_title"] = spec.familyTitle;
    json["stored_dtype"] = spec.storedDtype;
    json["quantised"] = spec.storage.empty() ? Json() : Json(spec.storage);
    json["vocabulary_size"] = spec.vocabSize;
    json["hidden_size"] = spec.hiddenSize;
    json["layer_count"] = spec.layerCount();
    json["tied_head"] = spec.tiedHead;
    json["norm"] = normText(spec.normKind, spec.normEps);
    json["experts"] = groupsJson(groupLayers(spec, [](const LayerSpec& layer) {
        return layer.moe ? expertsText(*layer.moe) : std::string();
    }));
    json["router"] = groupsJson(groupLayers(spec, [](const LayerSpec& layer) {
        return layer.moe ? routerRule(*layer.moe) : std::string();
    }));
    json["scales"] = scalesText(spec);
    json["attention"] = groupsJson(groupLayers(spec, attentionText));
    json["positions"] = groupsJson(groupLayers(spec, positionsText));
    json["parameters"] = parametersJson(card.parameters);
    const PublishedFigures* figures = findPublished(spec);
    json["published"] = figures == nullptr ? Json()
                                           : Json{{"name", figures->title},
                                                  {"total", figures->total * 1e9},
                                                  {"active", figures->active * 1e9},
                                                  {"source", figures->source},
                                                  {"counting", figures->counting}};
    json["notes"] = spec.notes;
    json["layers"] = layersJson(spec);
}

}  // namespace

std::string toJson(const ModelCard& card) {
    Json json{{"kind", "checkpoint"},         {"name", card.name},
              {"folder", card.folder},        {"supported", card.spec.has_value()},
              {"model_type", card.modelType}, {"architecture", card.architecture}};
    json["tokenizer"] = card.tokenizer.empty() ? Json() : Json(card.tokenizer);
    if (card.spec) {
        addSpec(card, json);
    } else {
        json["unsupported"] = card.unsupported;
    }
    Json disk = Json::array();
    for (const auto& share : card.disk) {
        disk.push_back({{"dtype", checkpoint::name(share.dtype)},
                        {"tensors", share.tensors},
                        {"elements", share.elements},
                        {"bytes", share.bytes}});
    }
    json["storage"] = {
        {"files", card.fileCount}, {"bytes", card.fileBytes}, {"by_dtype", std::move(disk)}};
    // Names of folders need not be UTF-8.
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace moescope::model
