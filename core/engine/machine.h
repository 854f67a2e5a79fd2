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

/// Speeds of this machine, measured in a fraction of a second.
struct Calibration {
    double productsPerSecond = 0.0;   ///< floating-point operations of matrix products
    double readBytesPerSecond = 0.0;  ///< of the checkpoint's files, cached or not as they are now
};
[[nodiscard]] Calibration calibrate(const ComputePlace& place,
                                    const checkpoint::Checkpoint& checkpoint);

}  // namespace moescope::engine
