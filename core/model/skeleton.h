// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/config.h"
#include "core/model/fused_names.h"
#include "core/model/model_spec.h"

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The pieces that family adapters put together. Most families share the Llama skeleton: the same
/// config keys and tensor names outside the feed-forward part.
namespace moescope::model {

/// What a family adapter reads: config.json, and the checkpoint for its tensors' names.
struct FamilyInput {
    const Config& config;
    const checkpoint::Checkpoint& checkpoint;
};

/// Class defaults of a family: what its configuration class assumes where config.json is silent.
struct SkeletonDefaults {
    int vocabSize = 0;
    int hiddenSize = 0;
    int layers = 0;
    int headsQ = 0;
    int headsKv = 0;  ///< 0: as many as headsQ
    double maxPositions = 0.0;
    double normEps = 1e-5;
    double ropeTheta = 10000.0;
    std::optional<double> rotatedShare{};  ///< see RopeDefaults
    /// Where other keys than `head_dim` give them: dimension of a head, of its rotated part.
    std::optional<int> headDim{}, rotaryDim{};
    bool ownRope = false;  ///< the family reads rotary embedding itself
    bool tiedHead = false;
    std::string_view prefix = "model.";        ///< before "layers.", "embed_tokens" and "norm"
    std::string_view head = "lm_head.weight";  ///< where it is not tied
};

/// The first of these prefixes below which the checkpoint has an embedding, else the last: text
/// models are published alone and inside wrappers.
[[nodiscard]] std::string_view existingPrefix(const FamilyInput& input,
                                              std::initializer_list<std::string_view> prefixes);

/// Everything but the feed-forward part, from the keys and with the tensor names of the Llama
/// skeleton; each layer still needs setDense() or setRouted(). Throws Error(BadCheckpoint) for
/// values out of range or contradicting each other, and for more layers than the checkpoint has
/// tensors.
[[nodiscard]] ModelSpec llamaSkeleton(const FamilyInput& input, const SkeletonDefaults& defaults);

/// "model.layers.{layer}." or what the spec has in its place.
[[nodiscard]] std::string layerPrefix(const ModelSpec& spec, int layer);

/// Biases of the query, key, value projections and of the output projection in every layer.
void setAttentionBias(ModelSpec& spec, bool qkv, bool output);

/// Query and key norms in every layer, below the layer's prefix.
void setQkNorm(ModelSpec& spec, QkNorm kind, std::string_view qName = "self_attn.q_norm.weight",
               std::string_view kName = "self_attn.k_norm.weight");

/// `sliding_window` in all layers, or in those that `layer_types` calls "sliding_attention".
void setSlidingWindow(const Config& config, ModelSpec& spec);

/// Last part of the names of the three matrices of a gated feed-forward.
struct GatedNames {
    std::string_view gate, up, down;
};
constexpr GatedNames kProjectionNames{"gate_proj", "up_proj", "down_proj"};

/// gate, up and down below `prefix`, which ends in a dot.
[[nodiscard]] FeedForwardNames gatedNames(const std::string& prefix, const GatedNames& names,
                                          bool bias = false);

[[nodiscard]] Activation readActivation(const Config& config,
                                        Activation fallback = Activation::Silu);

/// Indices of the layers for which `chosen` is true.
[[nodiscard]] std::vector<int> layersWhere(const ModelSpec& spec,
                                           const std::function<bool(int)>& chosen);
[[nodiscard]] std::vector<int> allLayers(const ModelSpec& spec);

/// Makes every layer without a router a dense one, with its matrices below "{layer prefix}mlp." or
/// another place that ends in a dot.
void setDense(ModelSpec& spec, const FeedForwardSpec& feedForward,
              const GatedNames& names = kProjectionNames, std::string_view below = "mlp.");

/// Where a routed layer keeps its parts, below the layer's prefix; "{}" in `expert` stands for the
/// expert's number. Experts that lie together in one tensor have `fused`; where they have `expert`
/// too, they are found there one by one (as GGUF models show them), and likewise the shared ones.
struct RoutedNames {
    std::string_view router;
    bool routerBias = false;
    std::string_view expert = "";
    GatedNames gated = kProjectionNames;
    std::optional<FusedNames> fused{};
    std::string_view shared = "";
    std::optional<FusedNames> fusedShared{};  ///< gate and up of the shared experts in one tensor
    std::string_view sharedGate = "";         ///< where MoeSpec::sharedGate is set
    std::string_view selectionBias = "";      ///< where RouterSpec::selectionBias is set
};

/// Makes these layers routed ones. Experts that a newer transformers has written together are found
/// as such. Throws Error(BadCheckpoint) when top-k exceeds the number of
/// experts or the experts need more tensors than the checkpoint has.
void setRouted(const FamilyInput& input, ModelSpec& spec, const std::vector<int>& layers,
               const MoeSpec& moe, const RoutedNames& published);

}  // namespace moescope::model
