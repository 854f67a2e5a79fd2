// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// E1: how large the outputs of the chosen experts are. With the chosen ids and weights that every
/// run keeps, expert activation norms and the REAP score (arXiv 2510.13999) of any tokens follow;
/// the largest magnitude is for super experts (arXiv 2507.23279). Needs the top-k pass alone.
[[nodiscard]] std::unique_ptr<engine::DynamicProbe> makeImportance();

}  // namespace moescope::experiments
