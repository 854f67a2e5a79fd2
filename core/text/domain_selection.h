// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/corpus.h"
#include "core/text/token_selection.h"

#include <span>
#include <string>

namespace moescope::text {

/// The tokens of all documents of some domains. Each name is one domain or, where no domain is
/// called so, several separated by commas; one that is named twice counts once. Throws Error(Usage)
/// where the text has no domains, where one of the names is not among them (the message lists them,
/// the closest first), and where their documents have no tokens.
[[nodiscard]] TokenSelection selectDomains(std::span<const std::string> names,
                                           const TokenizedCorpus& corpus);

}  // namespace moescope::text
