// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/rope.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

namespace moescope::engine {
namespace {

using model::RopeScaling;
using model::RopeScalingKind;
using model::RopeSpec;

std::vector<double> plainInverse(double theta, int dim) {
    std::vector<double> inverse(static_cast<std::size_t>(dim / 2));
    for (std::size_t j = 0; j < inverse.size(); ++j) {
        inverse[j] = std::pow(theta, -2.0 * static_cast<double>(j) / dim);
    }
    return inverse;
}

/// The theta that dynamic scaling uses for a context longer than the model was trained on.
double dynamicTheta(const RopeSpec& spec, double length) {
    const double factor = spec.scaling.factor;
    const double trained = spec.maxPositions;
    if (trained <= 0.0 || length <= trained) {
        return spec.theta;
    }
    const double stretch = factor * length / trained - (factor - 1.0);
    const double dim = spec.rotaryDim;
    return spec.theta * std::pow(stretch, dim / (dim - 2.0));
}

void scaleLlama3(const RopeScaling& scaling, std::vector<double>& inverse) {
    const double original = scaling.originalMaxPositions;
    const double low = scaling.lowFreqFactor;
    const double high = scaling.highFreqFactor;
    for (double& value : inverse) {
        const double wavelength = 2.0 * std::numbers::pi / value;
        if (wavelength < original / high) {
            continue;
        }
        if (wavelength > original / low || high == low) {
            value /= scaling.factor;
            continue;
        }
        const double smooth = (original / wavelength - low) / (high - low);
        value *= (1.0 - smooth) / scaling.factor + smooth;
    }
}

double yarnMscale(double factor, double mscale) {
    return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

double yarnMultiplier(const RopeScaling& scaling) {
    if (scaling.attentionFactor) {
        return *scaling.attentionFactor;
    }
    if (scaling.mscale != 0.0 && scaling.mscaleAllDim != 0.0) {
        return yarnMscale(scaling.factor, scaling.mscale) /
               yarnMscale(scaling.factor, scaling.mscaleAllDim);
    }
    return yarnMscale(scaling.factor, 1.0);
}

void scaleYarn(const RopeSpec& spec, std::vector<double>& inverse) {
    const RopeScaling& scaling = spec.scaling;
    const double dim = spec.rotaryDim;
    const auto correction = [&](double rotations) {
        return dim * std::log(scaling.originalMaxPositions / (2.0 * std::numbers::pi * rotations)) /
               (2.0 * std::log(spec.theta));
    };
    double low = correction(scaling.betaFast);
    double high = correction(scaling.betaSlow);
    if (scaling.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, dim - 1.0);
    if (low == high) {
        high += 0.001;
    }
    for (std::size_t j = 0; j < inverse.size(); ++j) {
        const double ramp = std::clamp((static_cast<double>(j) - low) / (high - low), 0.0, 1.0);
        inverse[j] = inverse[j] / scaling.factor * ramp + inverse[j] * (1.0 - ramp);
    }
}

double longRopeMultiplier(const RopeSpec& spec, double length) {
    const RopeScaling& scaling = spec.scaling;
    const bool isLong = length > scaling.originalMaxPositions;
    if (const auto& own = isLong ? scaling.longMultiplier : scaling.shortMultiplier) {
        return *own;
    }
    if (scaling.attentionFactor) {
        return *scaling.attentionFactor;
    }
    const double factor = scaling.originalMaxPositions > 0.0
                              ? spec.maxPositions / scaling.originalMaxPositions
                              : scaling.factor;
    if (factor <= 1.0 || scaling.originalMaxPositions <= 1.0) {
        return 1.0;
    }
    return std::sqrt(1.0 + std::log(factor) / std::log(scaling.originalMaxPositions));
}

void scaleLongRope(const RopeScaling& scaling, double length, std::vector<double>& inverse) {
    const std::vector<double>& factors =
        length > scaling.originalMaxPositions ? scaling.longFactor : scaling.shortFactor;
    if (factors.size() != inverse.size()) {
        throw Error(ErrorCode::Unsupported,
                    "config.json: rope_scaling lists " + std::to_string(factors.size()) +
                        " longrope factors where " + std::to_string(inverse.size()) +
                        " are needed (half of the rotary dimension)");
    }
    for (std::size_t j = 0; j < inverse.size(); ++j) {
        inverse[j] /= factors[j];
    }
}

}  // namespace

RopeFrequencies ropeFrequencies(const RopeSpec& spec, std::uint64_t length) {
    if (spec.rotaryDim <= 0 || spec.rotaryDim % 2 != 0) {
        throw Error(ErrorCode::Unsupported,
                    "config.json: a rotary dimension of " + std::to_string(spec.rotaryDim) +
                        " cannot be rotated; an even number above 0 is needed");
    }
    const auto tokens = static_cast<double>(length);
    RopeFrequencies result;
    result.inverse = plainInverse(spec.theta, spec.rotaryDim);
    switch (spec.scaling.kind) {
        case RopeScalingKind::None:
            break;
        case RopeScalingKind::Linear:
            for (double& value : result.inverse) {
                value /= spec.scaling.factor;
            }
            break;
        case RopeScalingKind::Dynamic:
            result.inverse = plainInverse(dynamicTheta(spec, tokens), spec.rotaryDim);
            break;
        case RopeScalingKind::Llama3:
            scaleLlama3(spec.scaling, result.inverse);
            break;
        case RopeScalingKind::Yarn:
            scaleYarn(spec, result.inverse);
            result.multiplier = yarnMultiplier(spec.scaling);
            break;
        case RopeScalingKind::LongRope:
            scaleLongRope(spec.scaling, tokens, result.inverse);
            result.multiplier = longRopeMultiplier(spec, tokens);
            break;
    }
    if (spec.turningPairs) {
        const auto turning = static_cast<std::size_t>(*spec.turningPairs);
        for (std::size_t j = turning; j < result.inverse.size(); ++j) {
            result.inverse[j] = 0.0;
        }
    }
    return result;
}

}  // namespace moescope::engine
