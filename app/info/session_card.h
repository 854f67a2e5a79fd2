// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/session.h"

#include <string>

namespace moescope::info {

/// What a session holds, without any of its numbers: for a terminal, lines ending in a newline.
[[nodiscard]] std::string sessionText(const session::Session& session, bool datasets);
/// One JSON object, indented.
[[nodiscard]] std::string sessionJson(const session::Session& session);

}  // namespace moescope::info
