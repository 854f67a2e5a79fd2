// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moescope::tests {

/// The values of uniform() in tests/reference/make_assignment.py: splitmix64 of seed and position,
/// in [0, 1), multiples of 2^-24.
[[nodiscard]] inline std::vector<float> splitmixUniform(std::uint64_t seed, std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t z = seed * 0x100000001B3U + (i + 1) * 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        z ^= z >> 31U;
        values[i] = static_cast<float>(z >> 40U) * 0x1p-24F;
    }
    return values;
}

}  // namespace moescope::tests
