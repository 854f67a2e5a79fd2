// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/skeleton.h"

/// What Qwen3-Next and Qwen3.5 share: layers of gated DeltaNet between layers of gated attention.
namespace moescope::model {

/// How the projections of a DeltaNet lie in the checkpoint.
enum class DeltaLayout {
    PackedByKeyHead,  ///< in_proj_qkvz and in_proj_ba, key head by key head
    Separate,         ///< in_proj_qkv, in_proj_z, in_proj_b and in_proj_a, or in_proj_ba as above
};

/// Turns the skeleton's layers into such a hybrid, as `layer_types` or `full_attention_interval`
/// say: DeltaNets, and attention with per-head norms and an output gate. Norms multiply by
/// 1 + weight.
/// GGUF models have 1 + weight in the file, rates of decay in place of their logarithms, and may
/// have the value heads in another order: see gguf_describe_qwen.cpp.
void setQwenHybrid(const FamilyInput& input, ModelSpec& spec, DeltaLayout layout);

/// Class defaults that differ between the two.
struct HybridMoeDefaults {
    int experts = 512;
    int topK = 10;
};

/// The mixture, with a gated shared expert; keys and tensor names as in Qwen2-MoE.
[[nodiscard]] MoeSpec readQwenHybridMoe(const Config& config,
                                        const HybridMoeDefaults& defaults = {});

}  // namespace moescope::model
