// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/jinja_ast.h"

namespace moescope::text::jinja {

/// Renders a parsed template with `variables`. Throws Error(Unsupported) naming the line and the
/// construct, and Error(BadText) with the template's own words when it calls raise_exception().
/// Ends for every template: steps, depth and text are bounded.
[[nodiscard]] std::string render(const Body& body, Dict variables);

}  // namespace moescope::text::jinja
