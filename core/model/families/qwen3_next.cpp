// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/qwen_hybrid.h"
#include "core/model/families/qwen_moe.h"

// Qwen3-Next. Source: transformers models/qwen3_next.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "qwen3_next";
}

/// As published everything is packed; newer GGUF models have the projections apart.
DeltaLayout layoutOf(const FamilyInput& input) {
    const bool apart =
        input.checkpoint.find("model.layers.0.linear_attn.in_proj_qkv.weight").has_value();
    return apart ? DeltaLayout::Separate : DeltaLayout::PackedByKeyHead;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 151936,
                                           .hiddenSize = 2048,
                                           .layers = 48,
                                           .headsQ = 16,
                                           .headsKv = 2,
                                           .maxPositions = 32768,
                                           .normEps = 1e-6,
                                           .rotatedShare = 0.25,
                                           .headDim = config.integer({"head_dim"}, 256)});
    setQwenHybrid(input, spec, layoutOf(input));
    setRouted(input, spec, qwenRoutedLayers(config, spec), readQwenHybridMoe(config),
              kQwenSharedNames);
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 5632, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kQwen3Next{"qwen3_next", "Qwen3-Next", recognises, describe};

}  // namespace moescope::model
