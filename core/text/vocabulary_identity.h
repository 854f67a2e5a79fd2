// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace moescope::text {

/// SHA-256 over a vocabulary's pieces in order of their ids: equal when the same ids mean the same
/// pieces, in whichever file format. Tokens added behind the trained vocabulary are left out, so
/// that a chat model and its base model agree.
[[nodiscard]] std::string vocabularyIdentity(const std::vector<std::string>& pieces);

}  // namespace moescope::text
