// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <memory>

namespace moescope::experiments {

/// A7 as a part of the session, from core/model/parameters.h: total and active parameters by
/// component, operations per token by context, and bytes of expert weights touched by batch size.
[[nodiscard]] std::unique_ptr<engine::ModelProbe> makeParameters();

}  // namespace moescope::experiments
