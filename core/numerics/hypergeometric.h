// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace moescope::numerics {

/// A draw without replacement: `drawn` of `total` things, of which `marked` are marked.
struct Draw {
    std::uint64_t total = 0, marked = 0, drawn = 0;
};

/// Chance that at least `found` of the things drawn are marked (upper tail of the hypergeometric
/// distribution, Fisher's exact test to one side), to about 1e-8 of itself. Precondition: neither
/// marked nor drawn is more than total. Safe from any thread.
[[nodiscard]] double chanceOfAtLeast(std::uint64_t found, const Draw& draw);

}  // namespace moescope::numerics
