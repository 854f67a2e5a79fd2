// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace moescope::model {
namespace {

std::string_view activationName(Activation activation) {
    switch (activation) {
        case Activation::Silu:
            return "silu";
        case Activation::GeluErf:
            return "gelu";
        case Activation::GeluTanh:
            return "gelu, tanh form";
    }
    return "";
}

std::string_view scalingName(RopeScalingKind kind) {
    switch (kind) {
        case RopeScalingKind::None:
            return "";
        case RopeScalingKind::Linear:
            return "linear";
        case RopeScalingKind::Dynamic:
            return "dynamic";
        case RopeScalingKind::Llama3:
            return "llama3";
        case RopeScalingKind::Yarn:
            return "YaRN";
        case RopeScalingKind::LongRope:
            return "LongRoPE";
    }
    return "";
}

/// Whole numbers in full, others in short form: "1000000", "2.5".
std::string numberText(double value) {
    constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
    const bool whole = value == std::floor(value) && std::abs(value) < kExactIntegers;
    return whole ? fmt::format("{:.0f}", value) : fmt::format("{:g}", value);
}

std::string biasText(bool qkv, bool output) {
    if (qkv && output) {
        return "biases on query, key, value and output";
    }
    if (qkv) {
        return "biases on query, key and value";
    }
    return output ? "a bias on the output" : "no biases";
}

std::string qkNormText(const AttentionSpec& attention) {
    std::string text;
    if (attention.qkNorm != QkNorm::None) {
        text = fmt::format(
            ", query and key norms {}{}",
            attention.qkNorm == QkNorm::PerHead ? "per head" : "over the whole projection",
            attention.qkNormAfterRope ? " after RoPE" : "");
    }
    if (attention.valueNorm) {
        text += ", values normalised";
    }
    if (attention.clipQkv) {
        text += fmt::format(", values clipped to {}", numberText(*attention.clipQkv));
    }
    return text;
}

/// What else scores and outputs go through.
std::string scoresText(const AttentionSpec& attention) {
    std::string text;
    if (attention.logitCap) {
        text += fmt::format(", scores capped at {}", numberText(*attention.logitCap));
    }
    if (attention.sinks) {
        text += ", a sink per head";
    }
    if (attention.temperature) {
        text += fmt::format(", queries scaled by 1 + {} ln(1 + position / {})",
                            numberText(attention.temperature->strength),
                            numberText(attention.temperature->step));
    }
    return text + (attention.outputGate ? ", output gated" : "");
}

std::string maskText(const AttentionSpec& attention) {
    if (attention.slidingWindow) {
        return fmt::format("sliding window {}", *attention.slidingWindow);
    }
    return attention.chunk ? fmt::format("chunks of {}", *attention.chunk) : "full causal";
}

std::string deltaText(const DeltaNetSpec& delta) {
    return fmt::format(
        "gated DeltaNet, {} key heads of dimension {}, {} value heads of dimension {}, causal "
        "convolution over {} positions",
        delta.keyHeads, delta.keyDim, delta.valueHeads, delta.valueDim, delta.kernel);
}

std::string headsText(const AttentionSpec& attention) {
    if (const auto& latent = attention.latent) {
        const std::string query =
            latent->queryRank > 0 ? fmt::format(" and queries of rank {}", latent->queryRank) : "";
        return fmt::format(
            "latent, {} heads of dimension {} + {} rotated, values of {}; keys and "
            "values of rank {}{}",
            attention.headsQ, latent->plainDim, latent->rotaryDim, latent->valueDim,
            latent->keyValueRank, query);
    }
    return fmt::format("{} query heads, {} key/value head{} of dimension {}{}", attention.headsQ,
                       attention.headsKv, attention.headsKv == 1 ? "" : "s", attention.headDim,
                       attention.valueIsKey ? " (values are keys)" : "");
}

}  // namespace

std::string routerRule(const MoeSpec& moe) {
    const auto& router = moe.router;
    std::string text;
    if (router.sparseMixerJitter) {
        text = fmt::format("sparsemixer over {}, top {} one by one, jitter {:g}", moe.experts,
                           moe.topK, *router.sparseMixerJitter);
    } else if (router.softmaxOverSelected) {
        text = fmt::format("top {} of {} logits, softmax over the chosen", moe.topK, moe.experts);
    } else {
        text = fmt::format(
            "{} over {}, top {}, {}", router.score == RouterScore::Softmax ? "softmax" : "sigmoid",
            moe.experts, moe.topK,
            router.renormalise == Renormalise::None ? "not renormalised" : "renormalised");
    }
    if (router.groups > 1) {
        text += fmt::format(", from the best {} of {} groups", router.keptGroups, router.groups);
    }
    if (router.selectionBias) {
        text += ", chosen with a correction bias";
    }
    if (router.unitWeights) {
        text =
            fmt::format("top {} of {} logits, every chosen expert weighs 1", moe.topK, moe.experts);
    }
    if (router.scale != 1.0) {
        text += fmt::format(", times {:g}", router.scale);
    }
    if (router.perExpertScale) {
        text += ", times a factor per expert";
    }
    if (router.ownInputNorm) {
        text += ", on its own norm of the residual stream";
    }
    return moe.scaleInput ? text + ", the weight multiplies the expert's input" : text;
}

std::string feedForwardText(const FeedForwardSpec& feedForward) {
    const std::string activation =
        feedForward.clamped
            ? fmt::format("SwiGLU clamped at {}", numberText(feedForward.clamped->limit))
            : std::string(activationName(feedForward.activation));
    return fmt::format("width {} ({}){}", feedForward.intermediateSize, activation,
                       feedForward.bias ? ", with biases" : "");
}

std::string expertsText(const MoeSpec& moe) {
    std::string shared = "no shared expert";
    if (moe.shared) {
        shared = fmt::format("{} shared{}, width {} in all", std::max(1, moe.sharedCount),
                             moe.sharedCount > 1 ? " (fused)" : "", moe.shared->intermediateSize);
    }
    if (moe.sharedGate) {
        shared += ", times a sigmoid gate";
    }
    if (moe.separateNorms) {
        shared += ", with norms of its own";
    }
    return fmt::format("{} of {}, {} chosen per token, {}", moe.experts,
                       feedForwardText(moe.expert), moe.topK, shared);
}

std::string attentionText(const LayerSpec& layer) {
    if (layer.delta) {
        return deltaText(*layer.delta);
    }
    const AttentionSpec& attention = layer.attention;
    return fmt::format("{}, {}, {}{}{}", headsText(attention), maskText(attention),
                       biasText(attention.qkvBias, attention.outputBias), qkNormText(attention),
                       scoresText(attention));
}

std::string positionsText(const LayerSpec& layer) {
    const RopeSpec& rope = layer.attention.rope;
    if (layer.delta) {
        return "";
    }
    if (!rope.enabled) {
        return "no position embedding";
    }
    std::string text =
        fmt::format("RoPE {}, {} dimensions, theta {}, {} positions",
                    rope.style == RopeStyle::HalfSplit ? "half-split" : "interleaved",
                    rope.turningPairs ? 2 * *rope.turningPairs : rope.rotaryDim,
                    numberText(rope.theta), numberText(rope.maxPositions));
    if (rope.scaling.kind != RopeScalingKind::None) {
        text += fmt::format(", {} scaling by {} from {}", scalingName(rope.scaling.kind),
                            numberText(rope.scaling.factor),
                            numberText(rope.scaling.originalMaxPositions));
    }
    return text;
}

std::string normText(NormKind kind, double epsilon) {
    std::string_view name;
    switch (kind) {
        case NormKind::Rms:
        case NormKind::RmsFp32:
        case NormKind::RmsWeightless:
            name = "RMSNorm";
            break;
        case NormKind::RmsPlusOne:
            name = "RMSNorm with 1 + weight";
            break;
        case NormKind::LayerNorm:
            name = "LayerNorm";
            break;
    }
    return fmt::format("{}, epsilon {:g}", name, epsilon);
}

std::string scalesText(const ModelSpec& spec) {
    std::string text;
    const auto add = [&](std::string_view what, double scale) {
        if (scale != 1.0) {
            text += fmt::format("{}{} times {:.6g}", text.empty() ? "" : ", ", what, scale);
        }
    };
    add("embedding", spec.embeddingScale);
    add("residual branches", spec.residualScale);
    add("logits", spec.logitScale);
    if (spec.logitCap) {
        text += fmt::format("{}logits capped at {}", text.empty() ? "" : ", ",
                            numberText(*spec.logitCap));
    }
    return text;
}

std::string layerRanges(std::span<const int> layers) {
    std::string text;
    for (std::size_t i = 0; i < layers.size();) {
        std::size_t last = i;
        while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1) {
            ++last;
        }
        text += text.empty() ? "" : ", ";
        text += last == i ? fmt::format("{}", layers[i])
                          : fmt::format("{}-{}", layers[i], layers[last]);
        i = last + 1;
    }
    return text;
}

std::vector<LayerGroup> groupLayers(const ModelSpec& spec,
                                    const std::function<std::string(const LayerSpec&)>& text) {
    std::vector<LayerGroup> groups;
    for (int i = 0; i < spec.layerCount(); ++i) {
        const std::string description = text(spec.layers[static_cast<std::size_t>(i)]);
        if (description.empty()) {
            continue;
        }
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
            return group.first == description;
        });
        if (same != groups.end()) {
            same->second.push_back(i);
        } else {
            groups.push_back({description, {i}});
        }
    }
    return groups;
}

}  // namespace moescope::model
