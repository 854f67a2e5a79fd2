// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>

namespace moescope::engine {

/// Memory that grows with the tokens of a block, up to a bound.
struct BoundedBytes {
    std::uint64_t perToken = 0;
    std::uint64_t most = 0;
    [[nodiscard]] std::uint64_t of(std::uint64_t tokens) const noexcept {
        return std::min(tokens * perToken, most);
    }
};

}  // namespace moescope::engine
