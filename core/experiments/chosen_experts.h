// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// B5: ids of the chosen experts by falling selection score and the weights that multiplied their
/// outputs, [T, k] each, for every token of the text. Routing statistics derive from these.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeChosenExperts();

}  // namespace moescope::experiments
