// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// B2: per token and expert the L2 norm of the expert's output, before the routing weight, and the
/// router's score; [T, E] each, unrounded float32. Every token of the text has its row.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeNormsScores();

}  // namespace moescope::experiments
