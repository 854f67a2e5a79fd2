// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/tensor_ref.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a model is, as plain data: no file format, no family. A family adapter
/// (core/model/families) fills it from config.json; the engine's blocks are driven by it and by
/// nothing else. Defaults are the Llama skeleton. Switches of further families are added here with
/// their block, never as "if family == ...".
namespace moescope::model {

/// A name, or a part of a tensor that holds more than one matrix.
using checkpoint::TensorRef;

enum class Activation { Silu, GeluErf, GeluTanh };

/// Normalisation of the residual stream. Rms casts to the model dtype before the weight, RmsFp32
/// after it.
enum class NormKind { Rms, RmsFp32, RmsPlusOne, LayerNorm };

enum class RopeStyle { HalfSplit, Interleaved };

enum class RopeScalingKind { None, Linear, Dynamic, Llama3, Yarn, LongRope };

/// Frequencies of rotary position embedding with their scaling (formulas: ARCHITECTURE.md,
/// "Sources").
struct RopeScaling {
    RopeScalingKind kind = RopeScalingKind::None;
    double factor = 1.0;
    double originalMaxPositions = 0.0;
    double lowFreqFactor = 1.0;
    double highFreqFactor = 4.0;
    double betaFast = 32.0;
    double betaSlow = 1.0;
    double mscale = 0.0;
    double mscaleAllDim = 0.0;
    std::optional<double> attentionFactor;
    bool truncate = true;
    std::vector<double> shortFactor;
    std::vector<double> longFactor;
};

struct RopeSpec {
    bool enabled = true;
    RopeStyle style = RopeStyle::HalfSplit;
    int rotaryDim = 0;  ///< the first rotaryDim elements of each head are rotated
    double theta = 10000.0;
    double maxPositions = 0.0;
    RopeScaling scaling;
};

/// RMS norms on queries and keys: over each head, or over the whole projection before it is split.
enum class QkNorm { None, PerHead, FullProjection };

/// Latent attention (DeepSeek-V2): keys and values of all heads are made from one narrow vector per
/// token, queries from another or from the hidden state. Each head's query and key are a part
/// without position and a rotated part, whose key all heads share.
struct LatentAttention {
    int queryRank = 0;  ///< 0: queries come from the hidden state
    int keyValueRank = 0;
    int plainDim = 0;   ///< of a head's query and key, without position
    int rotaryDim = 0;  ///< of a head's query and key, rotated
    int valueDim = 0;
    double normEps = 1e-6;  ///< of the norms on the narrow vectors, whatever the model's is
};

/// Grouped-query attention (multi-head when headsKv == headsQ).
struct AttentionSpec {
    int headsQ = 0;
    int headsKv = 0;
    int headDim = 0;  ///< of queries and keys; of values too but for latent attention
    std::optional<LatentAttention> latent;
    bool qkvBias = false;
    bool outputBias = false;
    QkNorm qkNorm = QkNorm::None;
    bool qkNormAfterRope = false;   ///< per-head norms only
    std::optional<double> clipQkv;  ///< q, k and v are clamped to [-c, c], after any norm
    double scale = 0.0;  ///< multiplies q.k; headDim^-0.5 unless the family says otherwise
    std::optional<int> slidingWindow;  ///< query q sees keys k with q - k < window
    RopeSpec rope;

    [[nodiscard]] int valueDim() const noexcept { return latent ? latent->valueDim : headDim; }
};

/// Where scores come from and how the chosen ones become weights (experiments.md: four router
/// quantities).
enum class RouterScore { Softmax, Sigmoid };
enum class Renormalise { None, Sum, SumEps };
enum class GroupScore { Best, TopTwoSum };

struct RouterSpec {
    RouterScore score = RouterScore::Softmax;
    Renormalise renormalise = Renormalise::None;
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
};

/// One gated feed-forward: down(act(gate x) * (up x)).
struct FeedForwardSpec {
    int intermediateSize = 0;
    Activation activation = Activation::Silu;
    bool bias = false;
};

struct MoeSpec {
    int experts = 0;  ///< E, routed
    int topK = 0;     ///< k
    FeedForwardSpec expert;
    RouterSpec router;
    /// DeepSeek's shared experts are one fused MLP of sharedCount times the width.
    int sharedCount = 0;
    std::optional<FeedForwardSpec> shared;
    bool sharedGate = false;  ///< the shared output is multiplied by sigmoid(gate x), one number
};

/// Where one linear map lies in the checkpoint.
struct LinearNames {
    TensorRef weight;  ///< [out, in]
    TensorRef bias;    ///< [out]; empty: none
};

/// Where one gated feed-forward lies in the checkpoint.
struct FeedForwardNames {
    TensorRef gate, up, down;
    TensorRef gateBias, upBias, downBias;
};

struct LayerNames {
    TensorRef attentionNorm, feedForwardNorm;
    LinearNames q, k, v, o;
    /// Latent attention: the narrow vectors' projections and norms; q and keyValueUp read them.
    LinearNames queryDown, keyValueDown, keyValueUp;
    /// Instead of keyValueUp, where its rows are stored apart: key [plainDim, rank] and value
    /// [valueDim, rank] of head 0, of head 1, and so on.
    std::vector<TensorRef> keyValueUpParts;
    TensorRef queryDownNorm, keyValueDownNorm;
    TensorRef qNorm, kNorm;                 ///< where AttentionSpec::qkNorm asks for them
    FeedForwardNames dense;                 ///< dense layers only
    LinearNames router;                     ///< routed layers only
    TensorRef selectionBias;                ///< [E] or [1, E], where the router has one
    std::vector<FeedForwardNames> experts;  ///< routed layers only, by expert index
    FeedForwardNames shared;                ///< where MoeSpec::shared is set
    LinearNames sharedGate;                 ///< [1, hidden], where MoeSpec::sharedGate is set
};

struct LayerSpec {
    AttentionSpec attention;
    std::optional<FeedForwardSpec> dense;  ///< exactly one of dense and moe is set
    std::optional<MoeSpec> moe;
    LayerNames names;
    [[nodiscard]] bool isRouted() const noexcept { return moe.has_value(); }
};

struct ModelSpec {
    std::string family;        ///< the adapter's id: "mixtral", "deepseek", "llama"
    std::string familyTitle;   ///< for people: "Mixtral", "DeepSeekMoE", "Llama / Mistral (dense)"
    std::string architecture;  ///< architectures[0] of config.json, verbatim
    std::string storedDtype;   ///< torch_dtype of config.json, may be empty
    std::string storage{};     ///< how weights are quantised, in words; empty: they are not

    int vocabSize = 0;
    int hiddenSize = 0;
    NormKind normKind = NormKind::Rms;
    double normEps = 1e-5;
    bool tiedHead = false;
    double maxPositions = 0.0;
    std::string layersPrefix = "model.layers.";  ///< of the layers' tensors, before the number
    std::vector<LayerSpec> layers;

    TensorRef embeddingName, finalNormName;
    LinearNames head;

    std::optional<int> bosId;
    std::vector<int> eosIds;

    /// Things recognised and left out, for `info` ("1 multi-token-prediction layer").
    std::vector<std::string> notes;

    [[nodiscard]] int layerCount() const noexcept { return static_cast<int>(layers.size()); }
};

}  // namespace moescope::model
