// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace moescope::engine {

/// Whole documents that follow one another in the text, and lie so in a device's streams.
struct Stretch {
    std::uint64_t firstToken = 0;  ///< of the text
    std::uint64_t firstRow = 0;    ///< of the device's streams
    std::uint64_t tokens = 0;
    std::size_t part = 0;  ///< the device, by its place among them
};

/// Shares a text's documents (their offsets) out among devices, in turns of about `turnTokens`
/// tokens or fewer, so that results can be taken in the text's order while all devices compute:
/// each takes the next documents when it has had least, and all have as many turns. One part: one
/// stretch. In the text's order.
[[nodiscard]] std::vector<Stretch> splitText(std::span<const std::uint64_t> offsets,
                                             std::size_t parts, std::uint64_t turnTokens);

/// Tokens of each part.
[[nodiscard]] std::vector<std::uint64_t> tokensOfParts(std::span<const Stretch> stretches,
                                                       std::size_t parts);

/// Of the part that has most, whatever the size of turns, which is not known yet. 0 for an empty
/// text.
[[nodiscard]] std::uint64_t mostTokens(std::span<const std::uint64_t> offsets, std::size_t parts);

}  // namespace moescope::engine
