// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_weights.h"

#include <ATen/ATen.h>

namespace moescope::engine {
namespace {

/// The parts of latent attention's keyValueUp behind one another.
Linear joined(WeightReader& reader, const std::vector<model::TensorRef>& parts,
              WeightReader::Threads threads) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(parts.size());
    for (const model::TensorRef& part : parts) {
        tensors.push_back(reader.load(part, threads));
    }
    Linear linear;
    linear.weight = at::cat(tensors);
    return linear;
}

AttentionWeights loadAttention(WeightReader& reader, const model::LayerNames& names,
                               const model::AttentionSpec& spec, double normEps,
                               WeightReader::Threads threads) {
    const auto linear = [&](const model::LinearNames& name) {
        return name.weight.empty() ? Linear{} : reader.load(name, threads);
    };
    // These norms are RMS norms whatever the residual stream's are.
    const auto norm = [&](const model::TensorRef& name, double eps) {
        return name.empty() ? Norm{} : Norm{reader.load(name, threads), model::NormKind::Rms, eps};
    };
    AttentionWeights weights;
    weights.q = linear(names.q);
    weights.k = linear(names.k);
    weights.v = linear(names.v);
    weights.o = linear(names.o);
    weights.qNorm = norm(names.qNorm, normEps);
    weights.kNorm = norm(names.kNorm, normEps);
    if (spec.latent) {
        weights.queryDown = linear(names.queryDown);
        weights.keyValueDown = linear(names.keyValueDown);
        weights.keyValueUp = names.keyValueUpParts.empty()
                                 ? linear(names.keyValueUp)
                                 : joined(reader, names.keyValueUpParts, threads);
        weights.queryDownNorm = norm(names.queryDownNorm, spec.latent->normEps);
        weights.keyValueDownNorm = norm(names.keyValueDownNorm, spec.latent->normEps);
    }
    return weights;
}

Router loadRouter(WeightReader& reader, const model::LayerNames& names,
                  const model::RouterSpec& spec, WeightReader::Threads threads) {
    Router router;
    if (spec.fp32Matmul) {
        router.linear.weight = reader.loadFloat(names.router.weight);
        router.linear.bias =
            names.router.bias.empty() ? at::Tensor() : reader.loadFloat(names.router.bias);
    } else {
        router.linear = reader.load(names.router, threads);
    }
    if (!names.selectionBias.empty()) {
        router.selectionBias = reader.loadFloat(names.selectionBias).flatten();
    }
    return router;
}

}  // namespace

LayerWeights loadLayer(WeightReader& reader, const model::ModelSpec& model, int layer,
                       LayerParts parts, WeightReader::Threads threads) {
    const model::LayerSpec& spec = model.layers.at(static_cast<std::size_t>(layer));
    const model::LayerNames& names = spec.names;
    LayerWeights result;
    const auto norm = [&](const model::TensorRef& name) {
        return Norm{reader.load(name, threads), model.normKind, model.normEps};
    };
    if (parts.attention) {
        result.attentionNorm = norm(names.attentionNorm);
        result.feedForwardNorm = norm(names.feedForwardNorm);
        result.attention = loadAttention(reader, names, spec.attention, model.normEps, threads);
    }
    if (parts.feedForward && spec.dense) {
        result.dense = reader.load(names.dense, *spec.dense, threads);
    }
    if (parts.feedForward && spec.moe) {
        result.router = loadRouter(reader, names, spec.moe->router, threads);
        if (spec.moe->shared) {
            result.shared = reader.load(names.shared, *spec.moe->shared, threads);
        }
        if (spec.moe->sharedGate) {
            result.sharedGate = reader.load(names.sharedGate, threads);
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

FeedForward ExpertSource::get(int expert) const {
    m_poll();
    const auto index = static_cast<std::size_t>(expert);
    if (!m_weights.experts.empty()) {
        return m_weights.experts[index];
    }
    return m_reader.load(m_layer.names.experts[index], m_layer.moe->expert);
}

}  // namespace moescope::engine
