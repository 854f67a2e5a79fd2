// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/effort.h"
#include "core/engine/machine.h"

#include <cstdint>

namespace moescope::engine {

/// What a layer asks of processor and disk. A run passes static probes, then units of work on
/// weights, then attention, then the feed-forward with the dynamic probes; its results are stored
/// meanwhile.
struct LayerEffort {
    Effort statics, units, attention, feedForward, storing;
    Effort dynamics;                ///< of the dynamic probes, with the feed-forward
    std::uint64_t bytes = 0;        ///< of stored weights, read once
    std::uint64_t expertBytes = 0;  ///< part of them that every block reads when streamed
};

/// Expected seconds of a layer's phases.
struct LayerSeconds {
    double statics = 0.0, units = 0.0, attention = 0.0, feedForward = 0.0;
    [[nodiscard]] double total() const { return statics + units + attention + feedForward; }
};

[[nodiscard]] double secondsOf(const Effort& effort, const Calibration& calibration);

/// `blocks` of tokens pass the layer, `lanes` of them at a time; `streamed` experts are read again
/// for each. Probes get one block after another. Reading and storing go on beside computing: the
/// slowest of the three decides.
[[nodiscard]] LayerSeconds expectedSeconds(const LayerEffort& effort, std::uint64_t blocks,
                                           bool streamed, const Calibration& calibration,
                                           double lanes = 1.0);

}  // namespace moescope::engine
