// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/weight_reader.h"

#include <cstdint>
#include <filesystem>

namespace moescope::engine {

/// Memory that a new process may take now without swapping: the kernel's figure, within the limit
/// of the control group.
[[nodiscard]] std::uint64_t availableMemory();
/// Gives back what the allocator holds but nothing uses.
void releaseFreedMemory();
/// Anonymous and shared resident memory of this process.
[[nodiscard]] std::uint64_t residentMemory();

/// Speeds of this machine, measured in about a quarter of a second. Each is the best of several
/// short tries, so that other programs' work disturbs it little.
struct Calibration {
    double productsPerSecond = 0.0;       ///< floating-point operations of products in float32
    double modelProductsPerSecond = 0.0;  ///< and of the model's, in its compute type
    double elementsPerSecond = 0.0;       ///< values of a tensor multiplied by another's
    double stepsPerSecond = 0.0;          ///< arc cosines, one by one
    double secondsPerCall = 0.0;          ///< of an operation on a tensor of a few values
    double readBytesPerSecond = 0.0;  ///< of the checkpoint's files, cached or not as they are now
    double deviceStepsPerSecond = 0.0;  ///< arc cosines of a tensor on a device; 0: none computes

    /// For what is done with tokens: its steps, too, are the device's where one computes.
    [[nodiscard]] Calibration ofTokens() const {
        Calibration result = *this;
        result.stepsPerSecond = deviceStepsPerSecond > 0.0 ? deviceStepsPerSecond : stepsPerSecond;
        return result;
    }
    [[nodiscard]] bool hasDevice() const noexcept { return deviceStepsPerSecond > 0.0; }
};
/// A matrix product typical of the model: [rows, in] x [in, out].
struct ProductShape {
    int rows = 256, in = 0, out = 0;
};
[[nodiscard]] Calibration calibrate(const ComputePlace& place, const ProductShape& shape,
                                    const checkpoint::Checkpoint& checkpoint);

}  // namespace moescope::engine
