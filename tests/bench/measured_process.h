// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moescope::bench {

/// What a process took.
struct ProcessUse {
    double wallSeconds = 0.0;
    double processorSeconds = 0.0;  ///< user and system
    std::uint64_t peakBytes = 0;    ///< anonymous and shared resident memory, sampled
};

/// Runs a program and waits for it; its output is dropped. arguments[0] is its path.
/// Throws Error(Internal) when it cannot be started or fails.
[[nodiscard]] ProcessUse runMeasured(const std::vector<std::string>& arguments);

}  // namespace moescope::bench
