// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// C6: what the text costs the model when from a layer on fewer experts are chosen for a token, or
/// only the most used experts are left.
[[nodiscard]] std::unique_ptr<engine::BranchProbe> makeFewerExperts();

}  // namespace moescope::experiments
