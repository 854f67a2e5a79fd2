// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <span>
#include <vector>

namespace moescope::engine {

/// What is compared at a routed layer: the experts, each baseline's feed-forward ("F", or "F1",
/// "F2" ... if there are several), the shared experts ("S").
[[nodiscard]] std::vector<Column> columnsOf(const model::ModelSpec& model, int layer,
                                            std::span<const model::ModelSpec* const> baselines);

/// Index of the shared experts' column, -1 if there is none.
[[nodiscard]] int sharedColumn(std::span<const Column> columns);

}  // namespace moescope::engine
