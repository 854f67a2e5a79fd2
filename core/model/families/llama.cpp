// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"

// The dense baselines. Sources: transformers models/llama and models/mistral (class defaults from
// their configuration files).
namespace moescope::model {
namespace {

bool isMistral(const Config& config) {
    return config.modelType() == "mistral";
}

bool recognises(const Config& config) {
    return config.modelType() == "llama" || isMistral(config);
}

SkeletonDefaults classDefaults(bool mistral) {
    SkeletonDefaults defaults{.vocabSize = 32000, .hiddenSize = 4096, .layers = 32, .headsQ = 32};
    defaults.headsKv = mistral ? 8 : 0;
    defaults.maxPositions = mistral ? 131072 : 2048;
    defaults.normEps = 1e-6;
    return defaults;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    const bool mistral = isMistral(config);
    ModelSpec spec = llamaSkeleton(input, classDefaults(mistral));
    if (mistral) {
        setSlidingWindow(config, spec);
    }
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setDense(spec, {.intermediateSize =
                        config.integer({"intermediate_size"}, mistral ? 14336 : 11008, kSizeRange),
                    .activation = readActivation(config),
                    .bias = config.flag({"mlp_bias"}, false)});
    return spec;
}

}  // namespace

const Family kLlama{"llama", "Llama / Mistral (dense)", recognises, describe};

}  // namespace moescope::model
