// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/config.h"
#include "core/model/model_spec.h"

#include <optional>

namespace moescope::model {

struct RopeDefaults {
    int headDim = 0;
    /// Class default of `partial_rotary_factor`, in families that rotate a part of each head;
    /// nothing in those that rotate all of it, whatever the key says.
    std::optional<double> rotatedShare{};
    double theta = 10000.0;
    double maxPositions = 0.0;
};

/// Rotary position embedding from either spelling: `rope_theta` with `rope_scaling {rope_type or
/// type, ...}`, or `rope_parameters {rope_type, rope_theta, ...}` as newer files write it. A type
/// or a field that is not understood throws Error(Unsupported) naming it, a value out of range
/// Error(BadCheckpoint).
[[nodiscard]] RopeSpec readRope(const Config& config, const RopeDefaults& defaults);

/// The same from one block of the newer spelling, in configs that have one per kind of layer.
[[nodiscard]] RopeSpec readRopeBlock(const Config& config, const Config& block,
                                     const RopeDefaults& defaults);

}  // namespace moescope::model
