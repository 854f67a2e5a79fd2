// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace moescope::cli {

/// The experiments and their groups, for people: part of `analyze --help`, and `info --experiments`
/// prints it.
[[nodiscard]] std::string experimentListText();

/// The same as one JSON document, definitions included.
[[nodiscard]] std::string experimentListJson();

}  // namespace moescope::cli
