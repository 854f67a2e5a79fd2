// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>

namespace moescope::app {

/// The folder this program lies in.
[[nodiscard]] std::string programFolder();

/// Becomes moescope-engine with the same arguments, so that output, signals and exit code are its
/// own. Returns only by throwing Error(FileNotFound) that says where it was looked for.
[[noreturn]] void handOverToEngine(std::span<const std::string> arguments);

}  // namespace moescope::app
