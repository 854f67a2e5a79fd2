// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/spec_tensors.h"

#include <utility>

namespace moescope::model {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kNames{{
    {"embedding", "Embedding"},
    {"attention", "Attention"},
    {"router", "Router"},
    {"routed_experts", "Routed experts"},
    {"shared_experts", "Shared experts"},
    {"dense_feed_forward", "Dense feed-forward"},
    {"norms", "Norms"},
    {"head", "Head"},
}};

/// Walks one spec; keeps where it is so that each visit is one short call.
class Walk {
public:
    Walk(const ModelSpec& spec, const VisitTensor& visit) : m_spec(spec), m_visit(visit) {}

    void run() {
        emit(m_spec.embeddingName, {size(m_spec.vocabSize), hidden()}, Component::Embedding);
        for (int index = 0; index < m_spec.layerCount(); ++index) {
            layer(index);
        }
        emit(m_spec.finalNormName, {hidden()}, Component::Norms);
        emit(m_spec.finalNormBias, {hidden()}, Component::Norms);
        if (!m_spec.tiedHead) {
            linear(m_spec.head, size(m_spec.vocabSize), hidden(), Component::Head);
        }
    }

    void layer(int index) {
        m_layer = index;
        layer(m_spec.layers.at(static_cast<std::size_t>(index)));
        m_layer = -1;
    }

private:
    static std::uint64_t size(int value) { return static_cast<std::uint64_t>(value); }
    [[nodiscard]] std::uint64_t hidden() const { return size(m_spec.hiddenSize); }

    /// References must be the spec's own: visitors may keep or change them.
    void emit(const TensorRef& ref, Shape shape, Component component) {
        if (!ref.empty()) {
            m_visit({ref, std::move(shape), component, m_layer, m_expert});
        }
    }

    void linear(const TensorRef& weight, const TensorRef& bias, std::uint64_t out, std::uint64_t in,
                Component component) {
        emit(weight, {out, in}, component);
        emit(bias, {out}, component);
    }
    void linear(const LinearNames& names, std::uint64_t out, std::uint64_t in,
                Component component) {
        linear(names.weight, names.bias, out, in, component);
    }

    void feedForward(const FeedForwardSpec& spec, const FeedForwardNames& names,
                     Component component) {
        const std::uint64_t width = size(spec.intermediateSize);
        linear(names.gate, names.gateBias, width, hidden(), component);
        linear(names.up, names.upBias, width, hidden(), component);
        linear(names.down, names.downBias, hidden(), width, component);
    }

    void layer(const LayerSpec& spec) {
        const LayerNames& names = spec.names;
        emit(names.attentionNorm, {hidden()}, Component::Norms);
        emit(names.attentionNormBias, {hidden()}, Component::Norms);
        if (spec.delta) {
            deltaNet(*spec.delta, names);
        } else if (spec.attention.latent) {
            latentAttention(spec.attention, *spec.attention.latent, names);
        } else {
            attention(spec.attention, names);
        }
        for (const TensorRef* norm :
             {&names.attentionOutputNorm, &names.feedForwardNorm, &names.feedForwardNormBias,
              &names.routedOutputNorm, &names.sharedInputNorm, &names.sharedOutputNorm,
              &names.feedForwardOutputNorm}) {
            emit(*norm, {hidden()}, Component::Norms);
        }
        emit(names.layerScalar, {1}, Component::Norms);
        if (spec.dense) {
            feedForward(*spec.dense, spec.names.dense, Component::DenseFeedForward);
        }
        if (spec.moe) {
            mixture(*spec.moe, spec.names);
        }
    }

    void attention(const AttentionSpec& spec, const LayerNames& names) {
        const std::uint64_t q = size(spec.headsQ) * size(spec.headDim);
        const std::uint64_t kv = size(spec.headsKv) * size(spec.headDim);
        linear(names.q, spec.outputGate ? 2 * q : q, hidden(), Component::Attention);
        linear(names.k, kv, hidden(), Component::Attention);
        linear(names.v, kv, hidden(), Component::Attention);
        linear(names.o, hidden(), q, Component::Attention);
        const bool perHead = spec.qkNorm == QkNorm::PerHead;
        emit(names.qNorm, {perHead ? size(spec.headDim) : q}, Component::Attention);
        emit(names.kNorm, {perHead ? size(spec.headDim) : kv}, Component::Attention);
        emit(names.sinks, {size(spec.headsQ)}, Component::Attention);
    }

    void deltaNet(const DeltaNetSpec& spec, const LayerNames& layer) {
        const DeltaNetNames& names = layer.delta;
        const std::uint64_t heads = size(spec.valueHeads);
        const std::uint64_t values = size(spec.valueWidth());
        const bool packed = spec.packedByKeyHead;
        linear(names.queryKeyValue, size(spec.channels()) + (packed ? values : 0), hidden(),
               Component::Attention);
        linear(names.gate, values, hidden(), Component::Attention);
        linear(names.strength, packed ? 2 * heads : heads, hidden(), Component::Attention);
        linear(names.decay, heads, hidden(), Component::Attention);
        emit(names.convolution, {size(spec.channels()), 1, size(spec.kernel)},
             Component::Attention);
        emit(names.logDecay, {heads}, Component::Attention);
        emit(names.timeBias, {heads}, Component::Attention);
        emit(names.outputNorm, {size(spec.valueDim)}, Component::Attention);
        linear(layer.o, hidden(), values, Component::Attention);
    }

    void latentAttention(const AttentionSpec& spec, const LatentAttention& latent,
                         const LayerNames& names) {
        const std::uint64_t heads = size(spec.headsQ);
        const std::uint64_t rank = size(latent.keyValueRank);
        const std::uint64_t queryFrom = latent.queryRank > 0 ? size(latent.queryRank) : hidden();
        linear(names.queryDown, queryFrom, hidden(), Component::Attention);
        emit(names.queryDownNorm, {queryFrom}, Component::Attention);
        linear(names.q, heads * size(spec.headDim), queryFrom, Component::Attention);
        linear(names.keyValueDown, rank + size(latent.rotaryDim), hidden(), Component::Attention);
        emit(names.keyValueDownNorm, {rank}, Component::Attention);
        linear(names.keyValueUp, heads * (size(latent.plainDim) + size(latent.valueDim)), rank,
               Component::Attention);
        for (std::size_t i = 0; i < names.keyValueUpParts.size(); ++i) {
            const int height = i % 2 == 0 ? latent.plainDim : latent.valueDim;
            emit(names.keyValueUpParts[i], {size(height), rank}, Component::Attention);
        }
        linear(names.o, hidden(), heads * size(latent.valueDim), Component::Attention);
    }

    void mixture(const MoeSpec& moe, const LayerNames& names) {
        linear(names.router, size(moe.experts), hidden(), Component::Router);
        emit(names.selectionBias, {size(moe.experts)}, Component::Router);
        emit(names.routerScale, {hidden()}, Component::Router);
        emit(names.perExpertScale, {size(moe.experts)}, Component::Router);
        for (m_expert = 0; m_expert < static_cast<int>(names.experts.size()); ++m_expert) {
            feedForward(moe.expert, names.experts[static_cast<std::size_t>(m_expert)],
                        Component::RoutedExperts);
        }
        m_expert = -1;
        if (moe.shared) {
            feedForward(*moe.shared, names.shared, Component::SharedExperts);
            linear(names.sharedGate, 1, hidden(), Component::SharedExperts);
        }
    }

    const ModelSpec& m_spec;
    const VisitTensor& m_visit;
    int m_layer = -1;
    int m_expert = -1;
};

}  // namespace

std::string_view name(Component component) noexcept {
    return kNames[static_cast<std::size_t>(component)].first;
}

std::string_view title(Component component) noexcept {
    return kNames[static_cast<std::size_t>(component)].second;
}

void forEachTensor(const ModelSpec& spec, const VisitTensor& visit) {
    Walk(spec, visit).run();
}

void forEachTensor(const ModelSpec& spec, int layer, const VisitTensor& visit) {
    Walk(spec, visit).layer(layer);
}

void forEachTensor(ModelSpec& spec,
                   const std::function<void(TensorRef&, const SpecTensor&)>& visit) {
    // The walk is the same, and the spec, with all its references, is the caller's to change.
    const VisitTensor change = [&](const SpecTensor& tensor) {
        visit(const_cast<TensorRef&>(tensor.ref), tensor);
    };
    Walk(spec, change).run();
}

}  // namespace moescope::model
