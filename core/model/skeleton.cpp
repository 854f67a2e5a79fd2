// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/skeleton.h"

#include "core/base/error.h"
#include "core/model/rope_config.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace moescope::model {
namespace {

constexpr IntegerRange kTokenIds{0, 1 << 30};

[[noreturn]] void bad(const Config& config, const std::string& problem) {
    throw Error(ErrorCode::BadCheckpoint, fmt::format("{}: {}.", config.where(), problem));
}

int readHeadDim(const Config& config, int hiddenSize, int headsQ) {
    if (const auto explicitDim = config.maybeInteger({"head_dim"}, kCountRange)) {
        return *explicitDim;
    }
    if (hiddenSize % headsQ != 0) {
        bad(config,
            fmt::format("\"hidden_size\" {} is not a multiple of \"num_attention_heads\" {}, "
                        "and there is no \"head_dim\"",
                        hiddenSize, headsQ));
    }
    return hiddenSize / headsQ;
}

AttentionSpec readAttention(const Config& config, const SkeletonDefaults& defaults,
                            int hiddenSize) {
    AttentionSpec attention;
    attention.headsQ =
        config.integer({"num_attention_heads", "n_heads"}, defaults.headsQ, kCountRange);
    // An explicit null means multi-head attention, whatever the class default is.
    const bool asQuery = config.isNull("num_key_value_heads") || defaults.headsKv == 0;
    attention.headsKv = config.integer({"num_key_value_heads"},
                                       asQuery ? attention.headsQ : defaults.headsKv, kCountRange);
    if (attention.headsQ % attention.headsKv != 0) {
        bad(config, fmt::format("\"num_attention_heads\" {} is not a multiple of "
                                "\"num_key_value_heads\" {}",
                                attention.headsQ, attention.headsKv));
    }
    attention.headDim =
        defaults.headDim ? *defaults.headDim : readHeadDim(config, hiddenSize, attention.headsQ);
    attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.headDim));
    if (defaults.ownRope) {
        return attention;
    }
    attention.rope = readRope(config, {.headDim = defaults.rotaryDim.value_or(attention.headDim),
                                       .rotatedShare = defaults.rotatedShare,
                                       .theta = defaults.ropeTheta,
                                       .maxPositions = defaults.maxPositions});
    return attention;
}

LayerNames attentionNames(const std::string& prefix) {
    LayerNames names;
    names.attentionNorm = prefix + "input_layernorm.weight";
    names.feedForwardNorm = prefix + "post_attention_layernorm.weight";
    names.q.weight = prefix + "self_attn.q_proj.weight";
    names.k.weight = prefix + "self_attn.k_proj.weight";
    names.v.weight = prefix + "self_attn.v_proj.weight";
    names.o.weight = prefix + "self_attn.o_proj.weight";
    return names;
}

std::vector<int> readTokenIds(const Config& config, std::string_view key) {
    std::vector<int> ids;
    for (const double id : config.numbers(key)) {
        if (id != std::floor(id) || id < kTokenIds.least || id > kTokenIds.most) {
            config.refuse(key, "token ids");
        }
        ids.push_back(static_cast<int>(id));
    }
    return ids;
}

void readHead(const Config& config, const SkeletonDefaults& defaults, ModelSpec& spec) {
    const std::string prefix(defaults.prefix);
    spec.layersPrefix = prefix + "layers.";
    spec.embeddingName = prefix + "embed_tokens.weight";
    spec.finalNormName = prefix + "norm.weight";
    spec.tiedHead = config.flag({"tie_word_embeddings"}, defaults.tiedHead);
    spec.head.weight = spec.tiedHead ? spec.embeddingName : TensorRef(std::string(defaults.head));
    const auto bos = readTokenIds(config, "bos_token_id");
    if (!bos.empty()) {
        spec.bosId = bos.front();
    }
    spec.eosIds = readTokenIds(config, "eos_token_id");
}

/// `pattern` with "{}" replaced by the number.
std::string numbered(std::string_view pattern, int number) {
    std::string text(pattern);
    const auto place = text.find("{}");
    return text.replace(place, 2, std::to_string(number));
}

}  // namespace

std::string_view existingPrefix(const FamilyInput& input,
                                std::initializer_list<std::string_view> prefixes) {
    for (const std::string_view prefix : prefixes) {
        if (input.checkpoint.find(std::string(prefix) + "embed_tokens.weight")) {
            return prefix;
        }
    }
    return *(prefixes.end() - 1);
}

std::string layerPrefix(const ModelSpec& spec, int layer) {
    return fmt::format("{}{}.", spec.layersPrefix, layer);
}

ModelSpec llamaSkeleton(const FamilyInput& input, const SkeletonDefaults& defaults) {
    const Config& config = input.config;
    const std::size_t tensorCount = input.checkpoint.tensors().size();
    ModelSpec spec;
    spec.architecture = config.architecture();
    spec.storedDtype = config.text({"torch_dtype", "dtype"}, "");
    spec.vocabSize = config.integer({"vocab_size"}, defaults.vocabSize, kSizeRange);
    spec.hiddenSize = config.integer({"hidden_size", "d_model"}, defaults.hiddenSize, kSizeRange);
    spec.normEps = config.positive({"rms_norm_eps"}, defaults.normEps);
    spec.maxPositions =
        config.positive({"max_position_embeddings", "max_seq_len"}, defaults.maxPositions);
    readHead(config, defaults, spec);

    const int layers =
        config.integer({"num_hidden_layers", "n_layers"}, defaults.layers, kCountRange);
    if (static_cast<std::size_t>(layers) > tensorCount) {
        bad(config,
            fmt::format("\"num_hidden_layers\" is {}, but the checkpoint has only {} tensors",
                        layers, tensorCount));
    }
    const AttentionSpec attention = readAttention(config, defaults, spec.hiddenSize);
    for (int i = 0; i < layers; ++i) {
        LayerSpec layer;
        layer.attention = attention;
        layer.names = attentionNames(layerPrefix(spec, i));
        spec.layers.push_back(std::move(layer));
    }
    return spec;
}

void setAttentionBias(ModelSpec& spec, bool qkv, bool output) {
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        const std::string prefix = layerPrefix(spec, i) + "self_attn.";
        layer.attention.qkvBias = qkv;
        layer.attention.outputBias = output;
        layer.names.q.bias = qkv ? prefix + "q_proj.bias" : "";
        layer.names.k.bias = qkv ? prefix + "k_proj.bias" : "";
        layer.names.v.bias = qkv ? prefix + "v_proj.bias" : "";
        layer.names.o.bias = output ? prefix + "o_proj.bias" : "";
    }
}

void setQkNorm(ModelSpec& spec, QkNorm kind, std::string_view qName, std::string_view kName) {
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        layer.attention.qkNorm = kind;
        layer.names.qNorm = kind == QkNorm::None ? "" : layerPrefix(spec, i).append(qName);
        layer.names.kNorm = kind == QkNorm::None ? "" : layerPrefix(spec, i).append(kName);
    }
}

void setSlidingWindow(const Config& config, ModelSpec& spec) {
    const auto window = config.maybeInteger({"sliding_window"});
    const auto types = config.texts("layer_types");
    if (!types.empty() && types.size() != spec.layers.size()) {
        config.refuse("layer_types", fmt::format("{} entries", spec.layers.size()));
    }
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const bool sliding = types.empty() || types[i] == "sliding_attention";
        if (!sliding && types[i] != "full_attention") {
            config.refuse("layer_types", "\"sliding_attention\" and \"full_attention\" only");
        }
        if (sliding && !types.empty() && !window) {
            config.refuse("sliding_window", "a number of positions, since layer_types asks for it");
        }
        spec.layers[i].attention.slidingWindow = sliding ? window : std::nullopt;
    }
}

FeedForwardNames gatedNames(const std::string& prefix, const GatedNames& names, bool bias) {
    const auto name = [&](std::string_view part, std::string_view ending) {
        return fmt::format("{}{}.{}", prefix, part, ending);
    };
    FeedForwardNames result;
    result.gate = name(names.gate, "weight");
    result.up = name(names.up, "weight");
    result.down = name(names.down, "weight");
    if (bias) {
        result.gateBias = name(names.gate, "bias");
        result.upBias = name(names.up, "bias");
        result.downBias = name(names.down, "bias");
    }
    return result;
}

Activation readActivation(const Config& config, Activation fallback) {
    constexpr auto kActivations = std::to_array<std::pair<std::string_view, Activation>>({
        {"silu", Activation::Silu},
        {"swish", Activation::Silu},
        {"gelu", Activation::GeluErf},
        {"gelu_new", Activation::GeluTanh},
        {"gelu_pytorch_tanh", Activation::GeluTanh},
    });
    const std::string text = config.text({"hidden_act", "hidden_activation"}, "");
    if (text.empty()) {
        return fallback;
    }
    for (const auto& [name, activation] : kActivations) {
        if (name == text) {
            return activation;
        }
    }
    throw Error(
        ErrorCode::Unsupported,
        fmt::format("{}: the activation \"{}\" is not known; known are silu, gelu, gelu_new "
                    "and gelu_pytorch_tanh.",
                    config.where(), text));
}

std::vector<int> layersWhere(const ModelSpec& spec, const std::function<bool(int)>& chosen) {
    std::vector<int> layers;
    for (int i = 0; i < spec.layerCount(); ++i) {
        if (chosen(i)) {
            layers.push_back(i);
        }
    }
    return layers;
}

std::vector<int> allLayers(const ModelSpec& spec) {
    return layersWhere(spec, [](int /*layer*/) { return true; });
}

void setDense(ModelSpec& spec, const FeedForwardSpec& feedForward, const GatedNames& names,
              std::string_view below) {
    for (int i = 0; i < spec.layerCount(); ++i) {
        auto& layer = spec.layers[static_cast<std::size_t>(i)];
        if (!layer.isRouted()) {
            layer.dense = feedForward;
            layer.names.dense =
                gatedNames(layerPrefix(spec, i).append(below), names, feedForward.bias);
        }
    }
}

namespace {

/// Names are built before they are looked up: never more of them than there is reason for.
void requirePlausible(const FamilyInput& input, std::size_t layers, const MoeSpec& moe,
                      bool fused) {
    constexpr std::size_t kMatricesOfExpert = 3;
    constexpr std::size_t kMostExperts = std::size_t{1} << 20U;  ///< in all layers
    if (moe.topK > moe.experts) {
        bad(input.config, fmt::format("{} experts per token are more than the {} experts there are",
                                      moe.topK, moe.experts));
    }
    const std::size_t tensorCount = input.checkpoint.tensors().size();
    const std::size_t experts = layers * static_cast<std::size_t>(moe.experts);
    if (!fused && experts * kMatricesOfExpert > tensorCount) {
        bad(input.config, fmt::format("{} experts in {} layers need more than the {} tensors that "
                                      "the checkpoint has",
                                      moe.experts, layers, tensorCount));
    }
    if (experts > kMostExperts) {
        bad(input.config, fmt::format("{} experts in {} layers are more than the {} that Moescope "
                                      "handles",
                                      moe.experts, layers, kMostExperts));
    }
}

FeedForwardNames expertNames(const std::string& prefix, const ModelSpec& spec, const MoeSpec& moe,
                             const RoutedNames& names, int expert) {
    if (names.fused) {
        return fusedExpert(prefix, *names.fused,
                           {.experts = moe.experts,
                            .hidden = spec.hiddenSize,
                            .width = moe.expert.intermediateSize},
                           expert);
    }
    const std::string part = numbered(names.expert, expert);
    return gatedNames(fmt::format("{}{}.", prefix, part), names.gated, moe.expert.bias);
}

/// Whether the matrices of a feed-forward stand below this name one by one.
bool standApart(const FamilyInput& input, const std::string& name, const GatedNames& gated) {
    return input.checkpoint.find(fmt::format("{}.{}.weight", name, gated.gate)).has_value();
}

/// Families that publish fused experts are also found with their experts apart.
void findApart(const FamilyInput& input, const std::string& prefix, RoutedNames& names) {
    if (names.fused && !names.expert.empty() &&
        standApart(input, prefix + numbered(names.expert, 0), names.gated)) {
        names.fused.reset();
    }
    if (names.fusedShared && !names.shared.empty() &&
        standApart(input, prefix + std::string(names.shared), names.gated)) {
        names.fusedShared.reset();
    }
}

}  // namespace

void setRouted(const FamilyInput& input, ModelSpec& spec, const std::vector<int>& layers,
               const MoeSpec& moe, const RoutedNames& published) {
    // transformers 5 keeps experts fused in memory, and may write them so.
    RoutedNames names = published;
    std::string gateUp;
    std::string down;
    if (!layers.empty() && names.fused) {
        findApart(input, layerPrefix(spec, layers.front()), names);
    } else if (!layers.empty()) {
        const std::string together(names.expert.substr(0, names.expert.rfind(".{}")));
        gateUp = together + ".gate_up_proj";
        down = together + ".down_proj";
        if (input.checkpoint.find(layerPrefix(spec, layers.front()) + gateUp)) {
            names.fused = FusedNames{.gateUp = gateUp, .down = down};
        }
    }
    requirePlausible(input, layers.size(), moe, names.fused.has_value());
    for (const int index : layers) {
        auto& layer = spec.layers.at(static_cast<std::size_t>(index));
        const std::string prefix = layerPrefix(spec, index);
        layer.moe = moe;
        layer.names.router.weight = fmt::format("{}{}.weight", prefix, names.router);
        if (names.routerBias) {
            layer.names.router.bias = fmt::format("{}{}.bias", prefix, names.router);
        }
        layer.names.experts.reserve(static_cast<std::size_t>(moe.experts));
        for (int expert = 0; expert < moe.experts; ++expert) {
            layer.names.experts.push_back(expertNames(prefix, spec, moe, names, expert));
        }
        if (moe.shared && names.fusedShared) {
            layer.names.shared =
                fusedMlp(prefix, *names.fusedShared, spec.hiddenSize, moe.shared->intermediateSize);
        } else if (moe.shared) {
            layer.names.shared =
                gatedNames(fmt::format("{}{}.", prefix, names.shared), names.gated);
        }
        if (moe.sharedGate) {
            layer.names.sharedGate.weight = prefix + std::string(names.sharedGate);
        }
        if (moe.router.selectionBias) {
            layer.names.selectionBias = prefix + std::string(names.selectionBias);
        }
    }
}

}  // namespace moescope::model
