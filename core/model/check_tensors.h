// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/model_spec.h"

namespace moescope::model {

/// Holds the spec against the checkpoint's headers: every tensor present, of the right shape and of
/// a dtype that the engine can use. A tensor inside the spec's layers that the spec does not name
/// means another kind of model and is refused; what lies outside them (prediction layers beyond the
/// last, a vision tower) is noted in spec.notes. Throws Error(MissingTensor | BadShape |
/// Unsupported) naming file and tensor.
void checkTensors(const checkpoint::Checkpoint& checkpoint, ModelSpec& spec);

}  // namespace moescope::model
