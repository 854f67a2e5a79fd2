// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_time.h"

#include <algorithm>

namespace moescope::engine {
namespace {

/// What one core decodes of stored weights.
constexpr double kDecodeBytesPerSecond = 4e9;
/// And all of them on their way to a device, of what is in the page cache: mapping its pages is
/// what takes longest (6.6e9 on 16 cores).
constexpr double kDeviceBytesPerSecond = 7e9;
/// No machine is slower; keeps a failed measurement from giving centuries.
constexpr double kSlowest = 1e6;

}  // namespace

double secondsOf(const Effort& effort, const Calibration& calibration) {
    return effort.operations / std::max(calibration.productsPerSecond, kSlowest) +
           effort.modelOperations / std::max(calibration.modelProductsPerSecond, kSlowest) +
           effort.elements / std::max(calibration.elementsPerSecond, kSlowest) +
           effort.steps / std::max(calibration.stepsPerSecond, kSlowest) +
           effort.calls * calibration.secondsPerCall;
}

LayerSeconds expectedSeconds(const LayerEffort& effort, std::uint64_t blocks, bool streamed,
                             const Calibration& calibration, double lanes) {
    const Calibration tokens = calibration.ofTokens();
    LayerSeconds seconds;
    seconds.statics = secondsOf(effort.statics, calibration);
    seconds.units = secondsOf(effort.units, calibration);
    seconds.attention = secondsOf(effort.attention, tokens) / lanes;
    seconds.feedForward =
        secondsOf(effort.feedForward, tokens) / lanes + secondsOf(effort.dynamics, tokens);
    const std::uint64_t again = streamed && blocks > 1 ? (blocks - 1) * effort.expertBytes : 0;
    const double read =
        static_cast<double>(effort.bytes + again) /
        std::min(std::max(calibration.readBytesPerSecond, kSlowest),
                 calibration.hasDevice() ? kDeviceBytesPerSecond : kDecodeBytesPerSecond);
    const double beside = std::max(read, secondsOf(effort.storing, calibration));
    const double computing = seconds.total();
    if (beside > computing) {
        const double factor = computing > 0.0 ? beside / computing : 0.0;
        seconds.statics *= factor;
        seconds.units *= factor;
        seconds.attention *= factor;
        seconds.feedForward = beside - seconds.statics - seconds.units - seconds.attention;
    }
    return seconds;
}

}  // namespace moescope::engine
