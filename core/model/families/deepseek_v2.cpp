// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/family.h"
#include "core/model/families/latent.h"

// DeepSeek-V2 and V2-Lite. Where transformers' port and the checkpoints' own code differ (factor on
// the scores, norm_topk_prob) this follows the checkpoints' modeling_deepseek.py.
namespace moescope::model {
namespace {

bool recognises(const Config& config) {
    return config.modelType() == "deepseek_v2";
}

/// Group-limited choice where `topk_method` asks for it.
void readChoice(const Config& config, MoeSpec& moe) {
    const std::string method = config.text({"topk_method"}, "greedy");
    if (method == "group_limited_greedy") {
        readGroups(config, moe);
        moe.router.groupScore = GroupScore::Best;
        moe.router.excludedScore = 0.0;
    } else if (method == "greedy") {
        static_cast<void>(config.maybeInteger({"n_group"}));
        static_cast<void>(config.maybeInteger({"topk_group"}));
    } else {
        config.refuse("topk_method", "\"greedy\" or \"group_limited_greedy\"");
    }
}

MoeSpec readMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"n_routed_experts"}, 64, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 6, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1407, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.integer({"n_shared_experts"}, 0, {.least = 0, .most = 64});
    if (moe.sharedCount > 0) {
        moe.shared = moe.expert;
        moe.shared->intermediateSize *= moe.sharedCount;
    }
    if (config.text({"scoring_func"}, "softmax") != "softmax") {
        config.refuse("scoring_func", "\"softmax\"");
    }
    moe.router.fp32Matmul = true;
    moe.router.castWeightsToModelDtype = false;
    readChoice(config, moe);
    // Either renormalised or scaled, never both.
    const double scale = config.positive({"routed_scaling_factor"}, 1.0);
    if (config.flag({"norm_topk_prob"}, false) && moe.topK > 1) {
        moe.router.renormalise = Renormalise::SumEps;
    } else {
        moe.router.scale = scale;
    }
    return moe;
}

ModelSpec describe(const FamilyInput& input) {
    const Config& config = input.config;
    ModelSpec spec = latentSkeleton(input, {.vocabSize = 102400,
                                            .hiddenSize = 4096,
                                            .layers = 30,
                                            .headsQ = 32,
                                            .headsKv = 32,
                                            .maxPositions = 2048,
                                            .normEps = 1e-6});
    setRouted(input, spec, deepSeekRoutedLayers(config, spec, 0), readMoe(config),
              {.router = "mlp.gate", .expert = "mlp.experts.{}", .shared = "mlp.shared_experts"});
    setDense(spec, {.intermediateSize = config.integer({"intermediate_size"}, 11008, kSizeRange),
                    .activation = readActivation(config)});
    return spec;
}

}  // namespace

const Family kDeepSeekV2{"deepseek_v2", "DeepSeek-V2", recognises, describe};

}  // namespace moescope::model
