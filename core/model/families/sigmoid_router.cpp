// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/sigmoid_router.h"

#include "core/model/families/latent.h"

#include <limits>

namespace moescope::model {

MoeSpec readSigmoidMoe(const Config& config) {
    MoeSpec moe;
    moe.experts = config.integer({"n_routed_experts"}, 128, kCountRange);
    moe.topK = config.integer({"num_experts_per_tok"}, 8, kCountRange);
    moe.expert.intermediateSize = config.integer({"moe_intermediate_size"}, 1408, kSizeRange);
    moe.expert.activation = readActivation(config);
    moe.sharedCount = config.integer({"n_shared_experts"}, 1, {.least = 0, .most = 64});
    if (moe.sharedCount > 0) {
        moe.shared = moe.expert;
        moe.shared->intermediateSize *= moe.sharedCount;
    }
    moe.router.score = RouterScore::Sigmoid;
    moe.router.selectionBias = true;
    moe.router.fp32Matmul = true;
    moe.router.castWeightsToModelDtype = false;
    moe.router.scale = config.positive({"routed_scaling_factor"}, 1.0);
    if (config.flag({"norm_topk_prob"}, true)) {
        moe.router.renormalise = Renormalise::SumEps;
    }
    readGroups(config, moe);
    moe.router.groupScore = GroupScore::TopTwoSum;
    moe.router.excludedScore = -std::numeric_limits<double>::infinity();
    return moe;
}

}  // namespace moescope::model
