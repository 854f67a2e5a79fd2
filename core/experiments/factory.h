// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <string_view>

namespace moescope::experiments {

/// The probes of an experiment of the catalogue, to be given to the engine as its ProbeFactory.
/// Throws Error(Usage) for an unknown experiment or options that are not understood.
[[nodiscard]] engine::ProbeSet makeProbes(std::string_view experiment,
                                          std::string_view optionsJson);

}  // namespace moescope::experiments
