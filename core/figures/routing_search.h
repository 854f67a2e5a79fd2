// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Where to go next in a text. Pure functions; safe from any thread.
namespace moescope::figures {

/// The tokens that choose the expert, first or after others, ascending; fewer when asked to stop.
[[nodiscard]] std::vector<std::uint64_t> tokensOf(const Routing& routing, int expert,
                                                  const std::stop_token& stop);

/// The place in a list of tokens, ascending and not empty, that comes after (+1) or before (-1) a
/// token, or at it or after it (0); going on at the other end. Without a token: the first or last.
[[nodiscard]] std::size_t placeFrom(const std::vector<std::uint64_t>& tokens,
                                    std::optional<std::uint64_t> from, int direction);

/// Tokens at which a text begins, ascending. It may run over several tokens; case is ignored, and
/// so is white space before it. Text is compared as the model's bytes spell it. At most `most` are
/// listed; fewer when asked to stop.
[[nodiscard]] std::vector<std::uint64_t> findText(const std::vector<std::string>& tokenBytes,
                                                  const std::string& needle, std::size_t most,
                                                  const std::stop_token& stop);

}  // namespace moescope::figures
