// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/rope_config.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace moescope::model {
namespace {

RopeScalingKind kindOf(const Config& section) {
    constexpr auto kKinds = std::to_array<std::pair<std::string_view, RopeScalingKind>>({
        {"default", RopeScalingKind::None},
        {"linear", RopeScalingKind::Linear},
        {"dynamic", RopeScalingKind::Dynamic},
        {"llama3", RopeScalingKind::Llama3},
        {"yarn", RopeScalingKind::Yarn},
        {"longrope", RopeScalingKind::LongRope},
        {"proportional", RopeScalingKind::None},
    });
    const std::string type = section.text({"rope_type", "type"}, "default");
    for (const auto& [name, kind] : kKinds) {
        if (name == type) {
            return kind;
        }
    }
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: RoPE scaling \"{}\" is not known; known are default, linear, "
                            "dynamic, llama3, yarn, longrope and proportional.",
                            section.where(), type));
}

/// longrope's divisors, one per rotated pair.
std::vector<double> divisors(const Config& section, std::string_view key, int rotaryDim) {
    auto values = section.numbers(key);
    const auto pairs = static_cast<std::size_t>(rotaryDim) / 2;
    bool positive = values.size() == pairs;
    for (const double value : values) {
        positive = positive && value > 0.0;
    }
    if (!positive) {
        section.refuse(key, fmt::format("{} numbers above zero", pairs));
    }
    return values;
}

double requirePositive(const Config& section, std::string_view key) {
    if (!section.has(key)) {
        section.refuse(key, "a number above zero");
    }
    return section.positive({key}, 1.0);
}

RopeScaling readScaling(const Config& section, const Config& config, const RopeSpec& rope) {
    RopeScaling scaling;
    scaling.kind = kindOf(section);
    scaling.originalMaxPositions =
        section.positive({"original_max_position_embeddings"},
                         config.positive({"original_max_position_embeddings"}, rope.maxPositions));
    scaling.attentionFactor = section.maybeNumber({"attention_factor"});
    if (scaling.kind == RopeScalingKind::LongRope) {
        const double stretch = rope.maxPositions / scaling.originalMaxPositions;
        scaling.factor = section.positive({"factor"}, std::max(1.0, stretch));
        scaling.shortFactor = divisors(section, "short_factor", rope.rotaryDim);
        scaling.longFactor = divisors(section, "long_factor", rope.rotaryDim);
        scaling.shortMultiplier = section.maybeNumber({"short_mscale"});
        scaling.longMultiplier = section.maybeNumber({"long_mscale"});
    } else if (scaling.kind != RopeScalingKind::None) {
        scaling.factor = requirePositive(section, "factor");
    }
    if (scaling.kind == RopeScalingKind::Llama3) {
        scaling.lowFreqFactor = requirePositive(section, "low_freq_factor");
        scaling.highFreqFactor = requirePositive(section, "high_freq_factor");
    }
    if (scaling.kind == RopeScalingKind::Yarn) {
        scaling.betaFast = section.positive({"beta_fast"}, 32.0);
        scaling.betaSlow = section.positive({"beta_slow"}, 1.0);
        scaling.mscale = section.number({"mscale"}, 0.0);
        scaling.mscaleAllDim = section.number({"mscale_all_dim"}, 0.0);
        scaling.truncate = section.flag({"truncate"}, true);
    }
    return scaling;
}

/// A field left over in the block would change the frequencies in a way that we do not know.
void refuseUnread(const Config& section) {
    for (const auto& key : section.unreadKeys()) {
        if (section.has(key)) {
            throw Error(
                ErrorCode::Unsupported,
                fmt::format("{}: \"{}\" is {}, a field that Moescope does not know for this "
                            "kind of RoPE scaling.",
                            section.where(), key, section.valueText(key)));
        }
    }
}

int rotatedPart(const Config& config, int headDim, double fallback) {
    const double share = config.positive({"partial_rotary_factor"}, fallback);
    const int dimensions = share <= 1.0 ? static_cast<int>(share * headDim) : 0;
    if (dimensions < 1) {
        config.refuse("partial_rotary_factor", "a share of the head dimension up to 1");
    }
    return dimensions;
}

int readRotaryDim(const Config& config, const RopeDefaults& defaults) {
    if (!defaults.rotatedShare) {
        return defaults.headDim;
    }
    const int part = rotatedPart(config, defaults.headDim, *defaults.rotatedShare);
    return config.integer({"rotary_dim"}, part, {1, defaults.headDim});
}

/// Hunyuan's form of "dynamic" raises theta by alpha whatever the length of the text; the other
/// fields of its block are without effect. Source: transformers models/hunyuan_v1_moe.
void foldAlpha(const Config& section, RopeSpec& rope) {
    if (kindOf(section) != RopeScalingKind::Dynamic || rope.rotaryDim <= 2) {
        section.refuse("alpha", "nothing but with \"type\": \"dynamic\"");
    }
    const double dimensions = rope.rotaryDim;
    rope.theta *= std::pow(section.positive({"alpha"}, 1.0), dimensions / (dimensions - 2.0));
    for (const std::string_view key :
         {"factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim"}) {
        static_cast<void>(section.maybeNumber({key}));
    }
}

/// Gemma's "proportional" kind: a share of the pairs turns, with frequencies as if all did.
void readProportional(const Config& section, RopeSpec& rope) {
    rope.turningPairs = rotatedPart(section, rope.rotaryDim, 1.0) / 2;
    if (section.has("factor")) {
        rope.scaling.kind = RopeScalingKind::Linear;
        rope.scaling.factor = section.positive({"factor"}, 1.0);
        rope.scaling.originalMaxPositions = rope.maxPositions;
    }
}

void readBlock(const Config& config, const Config& section, RopeSpec& rope, int headDim) {
    rope.theta = section.positive({"rope_theta"}, rope.theta);
    // Positions of text are the same in all three streams of a multimodal model.
    static_cast<void>(section.numbers("mrope_section"));
    static_cast<void>(section.flag({"mrope_interleaved"}, false));
    if (section.text({"rope_type", "type"}, "default") == "proportional") {
        readProportional(section, rope);
        refuseUnread(section);
        return;
    }
    if (section.has("partial_rotary_factor")) {
        rope.rotaryDim = rotatedPart(section, headDim, 1.0);
    }
    if (section.has("alpha")) {
        foldAlpha(section, rope);
    } else {
        rope.scaling = readScaling(section, config, rope);
    }
    refuseUnread(section);
}

void requireEven(const Config& config, const RopeSpec& rope) {
    if (rope.rotaryDim % 2 != 0) {
        throw Error(ErrorCode::BadCheckpoint,
                    fmt::format("{}: {} elements of each head are to be rotated; expected an even "
                                "number.",
                                config.where(), rope.rotaryDim));
    }
}

}  // namespace

RopeSpec readRopeBlock(const Config& config, const Config& block, const RopeDefaults& defaults) {
    RopeSpec rope;
    rope.rotaryDim = defaults.headDim;
    rope.theta = defaults.theta;
    rope.maxPositions = defaults.maxPositions;
    readBlock(config, block, rope, defaults.headDim);
    requireEven(config, rope);
    return rope;
}

RopeSpec readRope(const Config& config, const RopeDefaults& defaults) {
    RopeSpec rope;
    rope.rotaryDim = readRotaryDim(config, defaults);
    rope.maxPositions = config.positive({"max_position_embeddings"}, defaults.maxPositions);
    rope.theta = config.positive({"rope_theta"}, defaults.theta);
    for (const std::string_view key : {"rope_scaling", "rope_parameters"}) {
        if (const auto section = config.section(key)) {
            readBlock(config, *section, rope, defaults.headDim);
        }
    }
    requireEven(config, rope);
    return rope;
}

}  // namespace moescope::model
