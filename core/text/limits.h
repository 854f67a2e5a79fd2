// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace moescope::text {

/// Longest single document: far beyond any context length, small enough to keep several in memory.
inline constexpr std::size_t kMaxDocumentBytes = std::size_t{64} << 20U;

inline constexpr std::string_view kTooLongMessage =
    "a single text is longer than 64 MiB. Split it into documents, for example one per line.";

}  // namespace moescope::text
