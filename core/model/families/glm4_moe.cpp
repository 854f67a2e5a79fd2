// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/sigmoid_router.h"

// GLM-4.5, 4.6 and 4.7. Source: transformers models/glm4_moe.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "glm4_moe";
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 151552,
                                           .hiddenSize = 4096,
                                           .layers = 46,
                                           .headsQ = 96,
                                           .headsKv = 8,
                                           .maxPositions = 131072,
                                           .rotatedShare = 0.5});
    setAttentionBias(spec, config.flag({"attention_bias"}, false), false);
    if (config.flag({"use_qk_norm"}, false)) {
        setQkNorm(spec, QkNorm::PerHead);
    }
    const int dense = config.integer({"first_k_dense_replace"}, 1, {.least = 0});
    setRouted(input, spec, layersWhere(spec, [&](int layer) { return layer >= dense; }),
              readSigmoidMoe(config), kSigmoidNames);
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 10944, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kGlm4Moe{"glm4_moe", "GLM-4.5", recognises, describe};

}  // namespace moescope::model
