// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/machine.h"

#include <cstdint>

namespace moescope::engine {

/// One phase of a layer as work for the processor.
struct Effort {
    double operations = 0.0;  ///< floating-point, in matrix products
    double calls = 0.0;       ///< small operations around them, whatever their size
};

/// What a layer asks of processor and disk. A run passes static probes, then attention, then the
/// feed-forward.
struct LayerEffort {
    Effort statics, attention;
    Effort feedForward;             ///< its operations over all tokens
    double callsPerBlock = 0.0;     ///< of the feed-forward, for each block of tokens
    std::uint64_t bytes = 0;        ///< of stored weights, read once
    std::uint64_t expertBytes = 0;  ///< part of them that every block reads when streamed
};

/// Expected seconds of a layer's phases.
struct LayerSeconds {
    double statics = 0.0, attention = 0.0, feedForward = 0.0;
    [[nodiscard]] double total() const { return statics + attention + feedForward; }
};

/// `blocks` of tokens pass the layer; `streamed` experts are read again for each. Reading goes on
/// beside computing, so that the slower of the two decides.
[[nodiscard]] LayerSeconds expectedSeconds(const LayerEffort& effort, std::uint64_t blocks,
                                           bool streamed, const Calibration& calibration);

}  // namespace moescope::engine
