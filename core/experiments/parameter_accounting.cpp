// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/parameter_accounting.h"

#include "core/checkpoint/checkpoint.h"

#include <cmath>
#include <numeric>
#include <set>
#include <string>

namespace moescope::experiments {
namespace {

using model::FeedForwardNames;
using model::LinearNames;

/// Walks over a model's tensors and adds each one once, however many parts of the spec name it
/// (families that keep all experts in one tensor).
class Accountant {
public:
    Accountant(const model::ModelSpec& model, const checkpoint::Checkpoint& checkpoint)
        : m_model(model), m_checkpoint(checkpoint) {}

    ParameterAccounting run() {
        m_result.tiedHead = m_model.tiedHead;
        addTensor(Component::Embedding, m_model.embeddingName, 1, 1);
        addTensor(Component::Norms, m_model.finalNormName, 1, 1);
        addLinear(Component::Head, m_model.head);
        for (const model::LayerSpec& layer : m_model.layers) {
            addLayer(layer);
        }
        return m_result;
    }

private:
    void addLayer(const model::LayerSpec& layer) {
        const model::LayerNames& names = layer.names;
        addTensor(Component::Norms, names.attentionNorm, 1, 1);
        addTensor(Component::Norms, names.feedForwardNorm, 1, 1);
        for (const LinearNames& linear : {names.q, names.k, names.v, names.o}) {
            addLinear(Component::Attention, linear);
        }
        m_result.attentionWidth += static_cast<std::uint64_t>(layer.attention.headsQ) *
                                   static_cast<std::uint64_t>(layer.attention.headDim);
        addFeedForward(Component::DenseFeedForward, names.dense, 1, 1);
        addFeedForward(Component::SharedExperts, names.shared, 1, 1);
        if (layer.moe) {
            addLinear(Component::Router, names.router);
            m_result.routedLayers.push_back({layer.moe->experts, layer.moe->topK, 0});
            for (const FeedForwardNames& expert : names.experts) {
                addFeedForward(Component::RoutedExperts, expert, layer.moe->topK,
                               layer.moe->experts);
            }
        }
    }

    void addLinear(Component component, const LinearNames& linear) {
        addTensor(component, linear.weight, 1, 1);
        addTensor(component, linear.bias, 1, 1);
    }

    void addFeedForward(Component component, const FeedForwardNames& names, int numerator,
                        int denominator) {
        for (const std::string* name : {&names.gate, &names.up, &names.down, &names.gateBias,
                                        &names.upBias, &names.downBias}) {
            addTensor(component, *name, numerator, denominator);
        }
    }

    /// numerator/denominator: the active share. Exact, since a layer's experts are equal: the
    /// division is made on the component's sum.
    void addTensor(Component component, const std::string& name, int numerator, int denominator) {
        if (name.empty() || !m_seen.insert(name).second) {
            return;
        }
        const checkpoint::TensorView tensor = m_checkpoint.require(name);
        const std::uint64_t count = elementCount(tensor.shape);
        const auto at = static_cast<std::size_t>(component);
        m_result.total[at] += count;
        if (component != Component::RoutedExperts) {
            m_result.active[at] += count;
            m_result.activeMatrices[at] += tensor.shape.size() > 1 ? count : 0;
            return;
        }
        m_result.routedLayers.back().expertBytes += count * checkpoint::sizeOf(tensor.dtype);
        addShare(count, numerator, denominator, m_result.active[at], m_activeRest);
        if (tensor.shape.size() > 1) {
            addShare(count, numerator, denominator, m_result.activeMatrices[at], m_matrixRest);
        }
    }

    /// sum += count * numerator / denominator with the remainder carried on to the next call.
    static void addShare(std::uint64_t count, int numerator, int denominator, std::uint64_t& sum,
                         std::uint64_t& rest) {
        const auto over = static_cast<std::uint64_t>(denominator);
        const std::uint64_t scaled = count * static_cast<std::uint64_t>(numerator) + rest;
        sum += scaled / over;
        rest = scaled % over;
    }

    const model::ModelSpec& m_model;
    const checkpoint::Checkpoint& m_checkpoint;
    ParameterAccounting m_result;
    std::set<std::string> m_seen;
    std::uint64_t m_activeRest = 0;
    std::uint64_t m_matrixRest = 0;
};

std::uint64_t sumOf(const std::array<std::uint64_t, kComponentNames.size()>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

std::uint64_t ParameterAccounting::totalSum() const {
    return sumOf(total);
}

std::uint64_t ParameterAccounting::activeSum() const {
    return sumOf(active);
}

std::uint64_t ParameterAccounting::activeWithoutEmbedding() const {
    return activeSum() - (tiedHead ? 0 : active[static_cast<std::size_t>(Component::Embedding)]);
}

double ParameterAccounting::operationsPerToken(std::uint64_t context) const {
    constexpr auto kEmbedding = static_cast<std::size_t>(Component::Embedding);
    const std::uint64_t lookedUp = tiedHead ? 0 : activeMatrices[kEmbedding];
    return 2.0 * static_cast<double>(sumOf(activeMatrices) - lookedUp) +
           4.0 * static_cast<double>(context) * static_cast<double>(attentionWidth);
}

double ParameterAccounting::touchedExpertBytes(std::uint64_t batchTokens) const {
    double bytes = 0.0;
    for (const RoutedLayer& layer : routedLayers) {
        const double missed = 1.0 - static_cast<double>(layer.topK) / layer.experts;
        bytes += static_cast<double>(layer.expertBytes) *
                 (1.0 - std::pow(missed, static_cast<double>(batchTokens)));
    }
    return bytes;
}

ParameterAccounting accountParameters(const model::ModelSpec& model,
                                      const checkpoint::Checkpoint& checkpoint) {
    return Accountant(model, checkpoint).run();
}

}  // namespace moescope::experiments
