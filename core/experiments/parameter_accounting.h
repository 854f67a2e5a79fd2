// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {
class Checkpoint;
}

namespace moescope::experiments {

enum class Component {
    Embedding,
    Attention,
    Router,
    RoutedExperts,
    SharedExperts,
    DenseFeedForward,
    Norms,
    Head
};
inline constexpr std::array<std::string_view, 8> kComponentNames{
    "embedding",      "attention",          "router", "routed_experts",
    "shared_experts", "dense_feed_forward", "norms",  "head"};

/// A7: how large a model is and what one token is multiplied with, from the shapes of the
/// checkpoint's own tensors. Biases count with the matrix they belong to; a head tied to the
/// embedding is counted there.
struct ParameterAccounting {
    std::array<std::uint64_t, kComponentNames.size()> total{};
    std::array<std::uint64_t, kComponentNames.size()> active{};  ///< k of E experts in each layer
    std::array<std::uint64_t, kComponentNames.size()> activeMatrices{};  ///< without biases, norms
    std::uint64_t attentionWidth = 0;  ///< sum over layers of query heads times head size
    bool tiedHead = false;

    struct RoutedLayer {
        int experts = 0;
        int topK = 0;
        std::uint64_t expertBytes = 0;  ///< of all the layer's experts, as stored
    };
    std::vector<RoutedLayer> routedLayers;

    [[nodiscard]] std::uint64_t totalSum() const;
    [[nodiscard]] std::uint64_t activeSum() const;
    /// Without the input embedding, which is looked up, not multiplied; a tied one stays, as head.
    [[nodiscard]] std::uint64_t activeWithoutEmbedding() const;

    /// Floating-point operations for one token that attends to `context` tokens: 2 per active
    /// matrix entry, and 4 per attended token and attention channel (scores and mixing).
    [[nodiscard]] double operationsPerToken(std::uint64_t context) const;

    /// Bytes of expert weights that a batch of B tokens touches when routing is uniform: per layer
    /// E (1 - (1 - k/E)^B) experts.
    [[nodiscard]] double touchedExpertBytes(std::uint64_t batchTokens) const;
};

/// Reads shapes only. Throws Error(MissingTensor) as Checkpoint::require does.
[[nodiscard]] ParameterAccounting accountParameters(const model::ModelSpec& model,
                                                    const checkpoint::Checkpoint& checkpoint);

}  // namespace moescope::experiments
