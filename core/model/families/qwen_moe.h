// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/skeleton.h"

/// What the Qwen families share. Sources: transformers models/qwen2_moe and models/qwen3_moe.
namespace moescope::model {

/// Routed layers by `decoder_sparse_step` and `mlp_only_layers`.
[[nodiscard]] std::vector<int> qwenRoutedLayers(const Config& config, const ModelSpec& spec);

/// Tensor names of the routed layers with a shared expert and a gate of its own before it.
inline constexpr RoutedNames kQwenSharedNames{.router = "mlp.gate",
                                              .expert = "mlp.experts.{}",
                                              .shared = "mlp.shared_expert",
                                              .sharedGate = "mlp.shared_expert_gate.weight"};

/// `layer_types` where config.json has them; else, with `use_sliding_window`, the layers from
/// `max_window_layers` on.
void setQwenWindow(const Config& config, ModelSpec& spec);

}  // namespace moescope::model
