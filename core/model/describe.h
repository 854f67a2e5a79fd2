// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// A model's parts in words, for model cards and the window.
namespace moescope::model {

/// "softmax over 8, top 2, renormalised"
[[nodiscard]] std::string routerRule(const MoeSpec& moe);
/// "8 of width 14336 (silu), 2 chosen per token, no shared expert"
[[nodiscard]] std::string expertsText(const MoeSpec& moe);
/// "width 14336 (silu)"
[[nodiscard]] std::string feedForwardText(const FeedForwardSpec& feedForward);
/// "32 query heads, 8 key/value heads of dimension 128, full causal, no biases"
[[nodiscard]] std::string attentionText(const LayerSpec& layer);
/// "RoPE half-split, theta 1000000, 32768 positions"; empty where order comes from a recurrence
[[nodiscard]] std::string positionsText(const LayerSpec& layer);
/// "embedding times 12, logits times 0.166667"; empty where nothing is scaled
[[nodiscard]] std::string scalesText(const ModelSpec& spec);
/// "RMSNorm, epsilon 1e-05"
[[nodiscard]] std::string normText(NormKind kind, double epsilon);
/// "0, 3-7"
[[nodiscard]] std::string layerRanges(std::span<const int> layers);

/// Layers with the same text, in the order of their first layer; layers without text are left out.
using LayerGroup = std::pair<std::string, std::vector<int>>;
[[nodiscard]] std::vector<LayerGroup> groupLayers(
    const ModelSpec& spec, const std::function<std::string(const LayerSpec&)>& text);

}  // namespace moescope::model
