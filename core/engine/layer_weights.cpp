// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_weights.h"

namespace moescope::engine {
namespace {

void visitFeedForward(const model::FeedForwardNames& names,
                      const std::function<void(const std::string&)>& visit) {
    for (const std::string* name :
         {&names.gate, &names.up, &names.down, &names.gateBias, &names.upBias, &names.downBias}) {
        if (!name->empty()) {
            visit(*name);
        }
    }
}

}  // namespace

LayerWeights loadLayer(WeightReader& reader, const model::ModelSpec& model, int layer,
                       LayerParts parts, WeightReader::Threads threads) {
    const model::LayerSpec& spec = model.layers.at(static_cast<std::size_t>(layer));
    const model::LayerNames& names = spec.names;
    LayerWeights result;
    const auto norm = [&](const std::string& name) {
        return Norm{reader.load(name, threads), model.normKind, model.normEps};
    };
    if (parts.attention) {
        result.attentionNorm = norm(names.attentionNorm);
        result.feedForwardNorm = norm(names.feedForwardNorm);
        result.attention = {reader.load(names.q, threads), reader.load(names.k, threads),
                            reader.load(names.v, threads), reader.load(names.o, threads)};
    }
    if (parts.feedForward && spec.dense) {
        result.dense = reader.load(names.dense, *spec.dense, threads);
    }
    if (parts.feedForward && spec.moe) {
        result.router = reader.load(names.router, threads);
        if (spec.moe->shared) {
            result.shared = reader.load(names.shared, *spec.moe->shared, threads);
        }
    }
    if (parts.experts && spec.moe) {
        result.experts.reserve(names.experts.size());
        for (const model::FeedForwardNames& expert : names.experts) {
            result.experts.push_back(reader.load(expert, spec.moe->expert, threads));
        }
    }
    return result;
}

void forEachTensor(const model::LayerNames& names,
                   const std::function<void(const std::string&)>& visit) {
    visit(names.attentionNorm);
    visit(names.feedForwardNorm);
    for (const model::LinearNames* linear :
         {&names.q, &names.k, &names.v, &names.o, &names.router}) {
        if (!linear->weight.empty()) {
            visit(linear->weight);
        }
        if (!linear->bias.empty()) {
            visit(linear->bias);
        }
    }
    visitFeedForward(names.dense, visit);
    visitFeedForward(names.shared, visit);
    for (const model::FeedForwardNames& expert : names.experts) {
        visitFeedForward(expert, visit);
    }
}

FeedForward ExpertSource::get(int expert) const {
    const auto index = static_cast<std::size_t>(expert);
    if (!m_weights.experts.empty()) {
        return m_weights.experts[index];
    }
    return m_reader.load(m_layer.names.experts[index], m_layer.moe->expert);
}

}  // namespace moescope::engine
