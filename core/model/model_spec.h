// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/tensor_ref.h"
#include "core/model/attention_spec.h"
#include "core/model/mixture_spec.h"

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

/// Where the parts of a gated DeltaNet lie. Packed by key head (DeltaNetSpec), queryKeyValue
/// holds the gates too, and strength the decays.
struct DeltaNetNames {
    LinearNames queryKeyValue, gate, strength, decay;
    TensorRef convolution;         ///< [channels, 1, kernel]
    TensorRef logDecay, timeBias;  ///< [value heads]; see DeltaNetSpec::decayRates
    TensorRef outputNorm;          ///< [value dim]
};

struct LayerNames {
    TensorRef attentionNorm, feedForwardNorm;
    TensorRef attentionNormBias, feedForwardNormBias;
    /// Norms of what attention and feed-forward add to the residual stream; empty: none.
    TensorRef attentionOutputNorm, feedForwardOutputNorm;
    TensorRef layerScalar;   ///< [1], multiplies the residual stream that leaves the layer
    LinearNames q, k, v, o;  ///< o belongs to a DeltaNet too; v empty where values are keys
    TensorRef sinks;         ///< [query heads], where AttentionSpec::sinks is set
    DeltaNetNames delta;     ///< where LayerSpec::delta is set
    /// Latent attention: the narrow vectors' projections and norms; q and keyValueUp read them.
    LinearNames queryDown, keyValueDown, keyValueUp;
    /// Instead of keyValueUp, where its rows are stored apart: key [plainDim, rank] and value
    /// [valueDim, rank] of head 0, of head 1, and so on.
    std::vector<TensorRef> keyValueUpParts;
    TensorRef queryDownNorm, keyValueDownNorm;
    TensorRef qNorm, kNorm;    ///< where AttentionSpec::qkNorm asks for them
    FeedForwardNames dense;    ///< dense layers only
    LinearNames router;        ///< routed layers only
    TensorRef routerScale;     ///< [hidden], where RouterSpec::ownInputNorm is set
    TensorRef perExpertScale;  ///< [E], where RouterSpec::perExpertScale is set
    /// Where MoeSpec::separateNorms is set; the routed experts' input norm is feedForwardNorm.
    TensorRef routedOutputNorm, sharedInputNorm, sharedOutputNorm;
    TensorRef selectionBias;                ///< [E] or [1, E], where the router has one
    std::vector<FeedForwardNames> experts;  ///< routed layers only, by expert index
    FeedForwardNames shared;                ///< where MoeSpec::shared is set
    LinearNames sharedGate;                 ///< [1, hidden], where MoeSpec::sharedGate is set
};

struct LayerSpec {
    AttentionSpec attention;  ///< not used where `delta` is set
    std::optional<DeltaNetSpec> delta;
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
    double embeddingScale = 1.0;       ///< multiplies the rows of the embedding
    bool roundEmbeddingScale = false;  ///< the multiplier itself is kept in the model dtype
    double residualScale = 1.0;        ///< multiplies what attention and feed-forward add
    double logitScale = 1.0;           ///< multiplies the logits
    std::optional<double> logitCap;    ///< then: logits -> cap tanh(logits / cap)
    bool tiedHead = false;
    /// Each column of the head (an element of the hidden state) is divided by its norm over the
    /// vocabulary, plus 1e-7.
    bool normalisedHead = false;
    double maxPositions = 0.0;
    std::string layersPrefix = "model.layers.";  ///< of the layers' tensors, before the number
    std::vector<LayerSpec> layers;

    TensorRef embeddingName, finalNormName, finalNormBias;
    LinearNames head;

    std::optional<int> bosId;
    std::vector<int> eosIds;

    /// Things recognised and left out, for `info` ("1 multi-token-prediction layer").
    std::vector<std::string> notes;

    [[nodiscard]] int layerCount() const noexcept { return static_cast<int>(layers.size()); }
};

}  // namespace moescope::model
