// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/sigmoid_router.h"

// dots.llm1. Source: transformers models/dots1.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "dots1";
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = llamaSkeleton(input, {.vocabSize = 152064,
                                           .hiddenSize = 4608,
                                           .layers = 62,
                                           .headsQ = 32,
                                           .headsKv = 32,
                                           .maxPositions = 2048,
                                           .normEps = 1e-6});
    const bool bias = config.flag({"attention_bias"}, false);
    setAttentionBias(spec, bias, bias);
    setQkNorm(spec, QkNorm::PerHead);
    setSlidingWindow(config, spec);
    // "noaux_tc" names the way the correction bias was learned; the scores are sigmoids.
    const std::string scoring = config.text({"scoring_func"}, "noaux_tc");
    if (scoring != "noaux_tc" && scoring != "sigmoid") {
        config.refuse("scoring_func", "\"noaux_tc\" or \"sigmoid\"");
    }
    const int dense = config.integer({"first_k_dense_replace"}, 0, {.least = 0});
    setRouted(input, spec, layersWhere(spec, [&](int layer) { return layer >= dense; }),
              readSigmoidMoe(config), kSigmoidNames);
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 10944, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kDots1{"dots1", "dots.llm1", recognises, describe};

}  // namespace moescope::model
