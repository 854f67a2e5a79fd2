// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// C4: what the text costs the model without an expert, in all layers at once and in one alone.
[[nodiscard]] std::unique_ptr<engine::BranchProbe> makeExpertRemoval();

}  // namespace moescope::experiments
