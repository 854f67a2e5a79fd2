// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace moescope::tests {

/// Copies the random Mixtral fixture (3 layers, 7 experts, top 2) to `folder` and gives it a
/// tokenizer: one token per printable ASCII character and per space, and <s> in front of each
/// document. Characters beyond (also newlines) have no token. Runs in milliseconds.
void makeTinyMixtral(const std::filesystem::path& folder);

/// The dense model that goes with it, with the same tokenizer.
void makeTinyBaseline(const std::filesystem::path& folder);

/// The tokenizer of both, for tests that break it.
[[nodiscard]] std::string tinyTokenizerJson();

}  // namespace moescope::tests
