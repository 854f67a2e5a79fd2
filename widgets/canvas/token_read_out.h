// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/figures/figure.h"
#include "widgets/support/theme.h"

#include <QString>

namespace moescope::widgets {

/// "token 17 \"alternative\": expert 3 (0.62), expert 5 (0.38)". `row` counts from the routing's
/// first token.
[[nodiscard]] std::string tokenReadOut(const figures::TokenTable& tokens,
                                       const figures::Routing& routing, std::uint64_t row);

/// " expert 3 (0.62), expert 5 (0.38)".
[[nodiscard]] std::string choicesReadOut(const figures::Routing& routing, std::uint64_t row);

/// The same as a card: text, document, and a bar per chosen expert. Rich text for a tooltip.
[[nodiscard]] QString tokenCard(const figures::TokenTable& tokens, const figures::Routing& routing,
                                std::uint64_t row, const Theme& theme);

}  // namespace moescope::widgets
