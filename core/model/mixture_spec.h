// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

/// Feed-forwards, routers and mixtures as plain data. Part of ModelSpec.
namespace moescope::model {

enum class Activation { Silu, GeluErf, GeluTanh };

/// gpt-oss: with g = min(gate, limit) and u = clamp(up, -limit, limit) the hidden value is
/// (u + 1) g sigmoid(slope g), in place of act(gate) * up.
struct ClampedSwiglu {
    double limit = 7.0;
    double slope = 1.702;
};

/// One gated feed-forward: down(act(gate x) * (up x)).
struct FeedForwardSpec {
    int intermediateSize = 0;
    Activation activation = Activation::Silu;
    bool bias = false;
    std::optional<ClampedSwiglu> clamped{};  ///< then `activation` is not used
};

/// Where scores come from and how the chosen ones become weights (experiments.md: four router
/// quantities).
enum class RouterScore { Softmax, Sigmoid };
enum class Renormalise { None, Sum, SumEps };
enum class GroupScore { Best, TopTwoSum };

struct RouterSpec {
    RouterScore score = RouterScore::Softmax;
    Renormalise renormalise = Renormalise::None;
    bool selectOnLogits = false;       ///< the choice is made on logits, not on scores
    bool softmaxOverSelected = false;  ///< select on logits, softmax over the k chosen ones
    double renormaliseFloor = 0.0;     ///< the sum is at least this (Renormalise::Sum)
    bool selectionBias = false;        ///< a learned bias on the scores, for the choice alone
    int groups = 1;                    ///< experts fall into so many groups of equal size ...
    int keptGroups = 1;                ///< ... and only those of the best groups may be chosen
    GroupScore groupScore = GroupScore::Best;
    double excludedScore = 0.0;  ///< selection score of an expert of another group
    double scale = 1.0;          ///< multiplies the weights
    bool fp32Matmul = false;     ///< router logits computed in float32 whatever the model dtype
    bool castWeightsToModelDtype = true;
    bool unitWeights = false;  ///< early Mixtral's `one_gate`: every chosen expert has weight 1
    /// Phi-3.5-MoE's sparsemixer: experts are taken one after the other, best logit first; each
    /// one's weight is its share in a softmax over those not yet taken whose logit s lies within
    /// (best - s) / max(|s|, best) <= 2 jitter of the best.
    std::optional<double> sparseMixerJitter;
    /// Gemma-4: the router reads the residual stream through an RMS norm of its own, times a
    /// learned scale, over sqrt(hidden size).
    bool ownInputNorm = false;
    bool perExpertScale = false;  ///< a learned factor per expert on the weights
};

struct MoeSpec {
    int experts = 0;  ///< E, routed
    int topK = 0;     ///< k
    FeedForwardSpec expert;
    RouterSpec router;
    /// Llama-4: the weight multiplies the expert's input, not its output.
    bool scaleInput = false;
    /// DeepSeek's shared experts are one fused MLP of sharedCount times the width. A dense branch
    /// that runs beside the experts on every token (Gemma-4) is a shared expert too.
    int sharedCount = 0;
    std::optional<FeedForwardSpec> shared;
    bool sharedGate = false;  ///< the shared output is multiplied by sigmoid(gate x), one number
    /// Routed and shared experts have norms of their own (Gemma-4): the shared ones read the
    /// residual stream through one norm, the routed ones through another, and each output is
    /// normalised before the two are added.
    bool separateNorms = false;
};

}  // namespace moescope::model
