// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/layer_weights.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::engine {
namespace {

/// The parts of latent attention's keyValueUp behind one another.
Linear joined(WeightReader& reader, const std::vector<model::TensorRef>& parts,
              WeightReader::Load how) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(parts.size());
    for (const model::TensorRef& part : parts) {
        tensors.push_back(reader.load(part, how));
    }
    reader.settle();
    Linear linear;
    linear.weight = at::cat(tensors);
    return linear;
}

AttentionWeights loadAttention(WeightReader& reader, const model::LayerNames& names,
                               const model::AttentionSpec& spec, double normEps,
                               WeightReader::Load how) {
    const auto linear = [&](const model::LinearNames& name) {
        return name.weight.empty() ? Linear{} : reader.load(name, how);
    };
    // The kind of these norms is apart from that of the residual stream's.
    const auto norm = [&](const model::TensorRef& name, model::NormKind kind, double eps) {
        return Norm{name.empty() ? at::Tensor() : reader.load(name, how), {}, kind, eps};
    };
    AttentionWeights weights;
    weights.q = linear(names.q);
    weights.k = linear(names.k);
    weights.v = linear(names.v);
    weights.o = linear(names.o);
    if (spec.qkNorm != model::QkNorm::None) {
        weights.qNorm = norm(names.qNorm, spec.qkNormKind, normEps);
        weights.kNorm = norm(names.kNorm, spec.qkNormKind, normEps);
    }
    if (spec.valueNorm) {
        weights.vNorm = {{}, {}, model::NormKind::RmsWeightless, normEps};
    }
    if (spec.sinks) {
        weights.sinks = reader.loadFloat(names.sinks, how);
    }
    if (spec.latent) {
        weights.queryDown = linear(names.queryDown);
        weights.keyValueDown = linear(names.keyValueDown);
        weights.keyValueUp = names.keyValueUpParts.empty()
                                 ? linear(names.keyValueUp)
                                 : joined(reader, names.keyValueUpParts, how);
        const double eps = spec.latent->normEps;
        weights.queryDownNorm = norm(names.queryDownNorm, model::NormKind::Rms, eps);
        weights.keyValueDownNorm = norm(names.keyValueDownNorm, model::NormKind::Rms, eps);
    }
    return weights;
}

DeltaNetWeights loadDeltaNet(WeightReader& reader, const model::LayerNames& layer,
                             const model::DeltaNetSpec& spec, double normEps,
                             WeightReader::Load how) {
    const model::DeltaNetNames& names = layer.delta;
    const auto linear = [&](const model::LinearNames& name) {
        return name.weight.empty() ? Linear{} : reader.load(name, how);
    };
    DeltaNetWeights weights;
    weights.queryKeyValue = linear(names.queryKeyValue);
    weights.gate = linear(names.gate);
    weights.strength = linear(names.strength);
    weights.decay = linear(names.decay);
    weights.output = linear(layer.o);
    weights.convolution = reader.loadFloat(names.convolution, how).squeeze(1);
    const at::Tensor decay = reader.loadFloat(names.logDecay, how);
    reader.settle();
    weights.decayRate = spec.decayRates ? decay : decay.exp().neg();
    weights.timeBias = reader.loadFloat(names.timeBias, how);
    weights.outputNorm = {reader.load(names.outputNorm, how), {}, model::NormKind::Rms, normEps};
    return weights;
}

Router loadRouter(WeightReader& reader, const model::LayerNames& names,
                  const model::RouterSpec& spec, double normEps, WeightReader::Load how) {
    Router router;
    if (spec.fp32Matmul) {
        router.linear.weight = reader.loadFloat(names.router.weight, how);
        router.linear.bias =
            names.router.bias.empty() ? at::Tensor() : reader.loadFloat(names.router.bias, how);
    } else {
        router.linear = reader.load(names.router, how);
    }
    if (!names.selectionBias.empty()) {
        router.selectionBias = reader.loadFloat(names.selectionBias, how).flatten();
    }
    if (spec.ownInputNorm) {
        router.inputNorm = {{}, {}, model::NormKind::RmsWeightless, normEps};
        router.inputScale = reader.load(names.routerScale, how);
    }
    if (spec.perExpertScale) {
        router.perExpertScale = reader.loadFloat(names.perExpertScale, how);
    }
    return router;
}

}  // namespace

LayerWeights loadLayer(WeightReader& reader, const model::ModelSpec& model, int layer,
                       LayerParts parts, WeightReader::Load how) {
    const model::LayerSpec& spec = model.layers.at(static_cast<std::size_t>(layer));
    const model::LayerNames& names = spec.names;
    LayerWeights result;
    const auto vector = [&](const model::TensorRef& name) {
        return name.empty() ? at::Tensor() : reader.load(name, how);
    };
    const auto norm = [&](const model::TensorRef& name, const model::TensorRef& bias) {
        return Norm{vector(name), vector(bias), model.normKind, model.normEps};
    };
    if (parts.attention) {
        result.attentionNorm = norm(names.attentionNorm, names.attentionNormBias);
        result.feedForwardNorm = norm(names.feedForwardNorm, names.feedForwardNormBias);
        result.attentionJoin = {norm(names.attentionOutputNorm, {}), model.residualScale};
        result.feedForwardJoin = {norm(names.feedForwardOutputNorm, {}), model.residualScale};
        result.scalar = vector(names.layerScalar);
        if (spec.delta) {
            result.delta = loadDeltaNet(reader, names, *spec.delta, model.normEps, how);
        } else {
            result.attention = loadAttention(reader, names, spec.attention, model.normEps, how);
        }
    }
    if (parts.feedForward && spec.dense) {
        result.dense = reader.load(names.dense, *spec.dense, how);
    }
    if (parts.feedForward && spec.moe) {
        result.router = loadRouter(reader, names, spec.moe->router, model.normEps, how);
        if (spec.moe->shared) {
            result.shared = reader.load(names.shared, *spec.moe->shared, how);
        }
        if (spec.moe->sharedGate) {
            result.sharedGate = reader.load(names.sharedGate, how);
        }
        if (spec.moe->separateNorms) {
            result.routedOutputNorm = norm(names.routedOutputNorm, {});
            result.sharedInputNorm = norm(names.sharedInputNorm, {});
            result.sharedOutputNorm = norm(names.sharedOutputNorm, {});
        }
    }
    if (parts.experts && spec.moe) {
        result.experts.reserve(names.experts.size());
        for (const model::FeedForwardNames& expert : names.experts) {
            result.experts.push_back(reader.load(expert, spec.moe->expert, how));
        }
    }
    return result;
}

void ExpertSource::expect(std::vector<bool> wanted) const {
    if (m_batches != nullptr) {
        m_batches->expect(std::move(wanted));
    }
}

int ExpertSource::together(int expert) const {
    if (m_batches != nullptr) {
        return m_batches->together(expert);
    }
    return m_weights.experts.empty() ? 1 : static_cast<int>(m_weights.experts.size()) - expert;
}

std::vector<FeedForward> ExpertSource::get(std::span<const int> experts) const {
    if (m_batches != nullptr) {
        m_poll();
        return m_batches->get(experts);
    }
    std::vector<FeedForward> all;
    all.reserve(experts.size());
    for (const int expert : experts) {
        all.push_back(get(expert));
    }
    return all;
}

FeedForward ExpertSource::get(int expert) const {
    m_poll();
    if (m_batches != nullptr) {
        return m_batches->get(expert);
    }
    const auto index = static_cast<std::size_t>(expert);
    if (!m_weights.experts.empty()) {
        return m_weights.experts[index];
    }
    if (auto coming = m_coming.get(expert)) {
        return *std::move(coming);
    }
    return m_reader.load(m_layer.names.experts[index], m_layer.moe->expert);
}

}  // namespace moescope::engine
