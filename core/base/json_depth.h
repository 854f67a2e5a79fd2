// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace moescope {

/// Deeper than anything that people or programs write into the files we read.
inline constexpr int kDeepestJson = 64;

/// Whether arrays and objects stand within each other more than `levels` deep. To be asked before
/// JSON from outside is parsed: what walks through a parsed value afterwards calls itself.
[[nodiscard]] bool isNestedDeeper(std::string_view json, int levels = kDeepestJson) noexcept;

}  // namespace moescope
