// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/parameters.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace moescope::model {
namespace {

std::size_t index(Component component) {
    return static_cast<std::size_t>(component);
}

/// Whether a token uses this tensor whatever the router says, or because the expert is among k:
/// uniform accounting takes the first k.
bool isActive(const ModelSpec& spec, const SpecTensor& tensor) {
    if (tensor.component != Component::RoutedExperts) {
        return true;
    }
    return tensor.expert < spec.layers[static_cast<std::size_t>(tensor.layer)].moe->topK;
}

constexpr std::array kDenseReferences{
    DenseReference{"Mistral 7B", "mistralai/Mistral-7B-v0.1 config.json; arXiv:2310.06825", 32000,
                   4096, 32, 32, 8, 128, 14336},
    DenseReference{"Llama-2 13B", "meta-llama/Llama-2-13b-hf config.json; arXiv:2307.09288", 32000,
                   5120, 40, 40, 40, 128, 13824},
    DenseReference{"Llama-2 70B", "meta-llama/Llama-2-70b-hf config.json; arXiv:2307.09288", 32000,
                   8192, 80, 64, 8, 128, 28672},
};

}  // namespace

std::uint64_t sum(const ComponentCounts& counts) noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t ParameterAccount::activeWithoutInputEmbedding() const {
    return sum(active) - (tiedHead ? 0 : activeOf(Component::Embedding));
}

ParameterAccount countParameters(const ModelSpec& spec) {
    ParameterAccount account;
    account.tiedHead = spec.tiedHead;
    forEachTensor(spec, [&](const SpecTensor& tensor) {
        const std::uint64_t count = elementCount(tensor.shape);
        account.total[index(tensor.component)] += count;
        account.active[index(tensor.component)] += isActive(spec, tensor) ? count : 0;
    });
    return account;
}

std::uint64_t operationsPerToken(const ModelSpec& spec, std::uint64_t context) {
    std::uint64_t multiplied = 0;
    forEachTensor(spec, [&](const SpecTensor& tensor) {
        const bool isMatrix = tensor.shape.size() >= 2;  // or a convolution's kernels
        const bool isLookUp = tensor.component == Component::Embedding && !spec.tiedHead;
        if (isMatrix && !isLookUp && isActive(spec, tensor)) {
            multiplied += elementCount(tensor.shape);
        }
    });
    std::uint64_t attended = 0;  // elements of queries and values met at every position
    for (const auto& layer : spec.layers) {
        if (layer.delta) {
            // The state is read with the key, changed, and read with the query.
            attended += 3 * static_cast<std::uint64_t>(layer.delta->valueHeads) *
                        static_cast<std::uint64_t>(layer.delta->keyDim * layer.delta->valueDim);
            continue;
        }
        const auto& attention = layer.attention;
        const auto reach = attention.reach();
        const std::uint64_t positions =
            reach ? std::min(context, static_cast<std::uint64_t>(*reach)) : context;
        attended += positions * static_cast<std::uint64_t>(attention.headsQ) *
                    static_cast<std::uint64_t>(attention.headDim + attention.valueDim());
    }
    return 2 * multiplied + 2 * attended;
}

double expectedDistinctExperts(int experts, int topK, std::uint64_t batchTokens) {
    const double share = static_cast<double>(topK) / experts;
    return experts * (1.0 - std::pow(1.0 - share, static_cast<double>(batchTokens)));
}

double expectedDistinctExperts(std::span<const double> chosenShare, std::uint64_t batchTokens) {
    double distinct = 0.0;
    for (const double share : chosenShare) {
        distinct += 1.0 - std::pow(1.0 - share, static_cast<double>(batchTokens));
    }
    return distinct;
}

double expertBytesTouched(const ModelSpec& spec, std::uint64_t batchTokens, double bytesPerWeight) {
    std::vector<double> weightsPerLayer(spec.layers.size(), 0.0);
    forEachTensor(spec, [&](const SpecTensor& tensor) {
        if (tensor.component == Component::RoutedExperts) {
            weightsPerLayer[static_cast<std::size_t>(tensor.layer)] +=
                static_cast<double>(elementCount(tensor.shape));
        }
    });
    double bytes = 0.0;
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        if (const auto& moe = spec.layers[i].moe) {
            bytes += expectedDistinctExperts(moe->experts, moe->topK, batchTokens) *
                     weightsPerLayer[i] / moe->experts * bytesPerWeight;
        }
    }
    return bytes;
}

std::vector<DtypeShare> bytesByDtype(const checkpoint::Checkpoint& checkpoint) {
    std::map<checkpoint::Dtype, DtypeShare> shares;
    for (const auto& tensor : checkpoint.tensors()) {
        auto& share = shares[tensor.dtype];
        share.dtype = tensor.dtype;
        share.tensors += 1;
        share.elements += elementCount(tensor.shape);
        share.bytes += checkpoint::storedBytes(tensor.dtype, elementCount(tensor.shape));
    }
    std::vector<DtypeShare> result;
    result.reserve(shares.size());
    for (const auto& [dtype, share] : shares) {
        result.push_back(share);
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    return result;
}

ModelSpec DenseReference::spec() const {
    ModelSpec model;
    model.vocabSize = vocabSize;
    model.hiddenSize = hiddenSize;
    model.embeddingName = "embedding";
    model.finalNormName = "norm";
    model.head.weight = "head";
    LayerSpec layer;
    layer.attention.headsQ = headsQ;
    layer.attention.headsKv = headsKv;
    layer.attention.headDim = headDim;
    layer.dense = FeedForwardSpec{.intermediateSize = width};
    layer.names.attentionNorm = layer.names.feedForwardNorm = "norm";
    layer.names.q.weight = layer.names.k.weight = layer.names.v.weight = "in";
    layer.names.o.weight = "out";
    layer.names.dense.gate = layer.names.dense.up = layer.names.dense.down = "mlp";
    model.layers.assign(static_cast<std::size_t>(layers), layer);
    return model;
}

std::uint64_t DenseReference::parameters() const {
    return sum(countParameters(spec()).total);
}

std::span<const DenseReference> denseReferences() {
    return kDenseReferences;
}

}  // namespace moescope::model
