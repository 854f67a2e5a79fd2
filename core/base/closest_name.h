// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moescope {

/// The name that a mistyped one most likely means: by the fewest insertions, deletions, changes and
/// swaps of neighbours (optimal string alignment), at most one for every three characters; case
/// and the kind of dash do not count. Of equally close ones the first; nullopt when none is close.
[[nodiscard]] std::optional<std::string_view> closestName(std::string_view mistyped,
                                                          std::span<const std::string_view> names);

/// " Did you mean "rank-counts"?", or nothing where no name is close.
[[nodiscard]] std::string didYouMean(std::string_view mistyped,
                                     std::span<const std::string_view> names);

}  // namespace moescope
