// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/token_selection.h"

/// Which tokens a figure is about: as what a run keeps, ranges of a text.
namespace moescope::figures {

using text::describe;
using text::parseDocuments;
using text::parseTokenRange;
using text::parseTokens;
using text::TokenRange;
using text::TokenSelection;

}  // namespace moescope::figures
