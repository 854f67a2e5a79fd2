// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/skeleton.h"

/// What DeepSeek-V2, V3 and Kimi-K2 share. Sources: transformers models/deepseek_v2 and
/// deepseek_v3; modeling_deepseek.py of the V2 checkpoints.
namespace moescope::model {

/// The dimensions from config.json, with the class defaults of DeepSeek-V2 and V3.
[[nodiscard]] LatentAttention readLatent(const Config& config);

/// The Llama skeleton with latent attention in every layer.
[[nodiscard]] ModelSpec latentSkeleton(const FamilyInput& input, SkeletonDefaults defaults);

struct GroupDefaults {
    int groups = 1, kept = 1;
};
/// `n_group` and `topk_group`, checked against the number of experts and top-k.
void readGroups(const Config& config, MoeSpec& moe, const GroupDefaults& defaults = {});

/// Layers from `first_k_dense_replace` on whose number is a multiple of `moe_layer_freq`.
[[nodiscard]] std::vector<int> deepSeekRoutedLayers(const Config& config, const ModelSpec& spec,
                                                    int firstDefault);

}  // namespace moescope::model
