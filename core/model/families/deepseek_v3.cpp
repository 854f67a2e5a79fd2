// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/latent.h"
#include "core/model/families/sigmoid_router.h"

#include <algorithm>
#include <array>

// DeepSeek-V3 and R1, and Kimi-K2, which has the same form, also inside the wrapper of Kimi-K2.5.
// Source: transformers models/deepseek_v3.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    constexpr std::array kTypes{"deepseek_v3", "kimi_k2", "kimi_k25"};
    return std::find(kTypes.begin(), kTypes.end(), config.modelType()) != kTypes.end();
}

void checkRouter(const Config& config) {
    if (config.text({"scoring_func"}, "sigmoid") != "sigmoid") {
        config.refuse("scoring_func", "\"sigmoid\"");
    }
    if (config.text({"topk_method"}, "noaux_tc") != "noaux_tc") {
        config.refuse("topk_method", "\"noaux_tc\"");
    }
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    const std::string_view prefix = existingPrefix(input, {"language_model.model.", "model."});
    const std::string_view head =
        prefix == "model." ? "lm_head.weight" : "language_model.lm_head.weight";
    ModelSpec spec = latentSkeleton(input, {.vocabSize = 129280,
                                            .hiddenSize = 7168,
                                            .layers = 61,
                                            .headsQ = 128,
                                            .headsKv = 128,
                                            .maxPositions = 4096,
                                            .normEps = 1e-6,
                                            .prefix = prefix,
                                            .head = head});
    checkRouter(config);
    setRouted(input, spec, deepSeekRoutedLayers(config, spec, 3), readSigmoidMoe(config),
              kSigmoidNames);
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 18432, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kDeepSeekV3{"deepseek_v3", "DeepSeek-V3 / Kimi-K2", recognises, describe};

}  // namespace moescope::model
