// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/model_spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace moescope::model {

/// Reads the folder's config.json with the family adapter that recognises it and checks every
/// tensor the spec names against the checkpoint's headers (presence and shape; no weight is read).
/// Throws Error(UnknownFamily) naming the found model_type and listing the known families,
/// Error(MissingTensor | BadShape | BadCheckpoint) naming file and tensor.
[[nodiscard]] ModelSpec loadSpec(const checkpoint::Checkpoint& checkpoint);

/// The same with another config text than the folder's; `where` names its source in messages.
[[nodiscard]] ModelSpec loadSpec(const checkpoint::Checkpoint& checkpoint,
                                 std::string_view configText, const std::string& where);

/// Titles of all families, for messages and help.
[[nodiscard]] std::vector<std::string> knownFamilies();

}  // namespace moescope::model
