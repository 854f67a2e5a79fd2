// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/jinja_ast.h"

#include <string_view>

namespace moescope::text::jinja {

/// Parses a template. Throws Error(Unsupported) naming the line and the construct that is not
/// understood.
[[nodiscard]] Body parseTemplate(std::string_view source);

}  // namespace moescope::text::jinja
