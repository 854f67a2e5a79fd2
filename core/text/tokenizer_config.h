// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/added_tokens.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace moescope::text {

/// What tokenizer_config.json, special_tokens_map.json and added_tokens.json say about a tokenizer,
/// as far as it changes ids. Every file may be absent.
struct TokenizerConfig {
    std::optional<bool> addBos;
    std::optional<bool> addEos;
    std::optional<std::string> bosToken;
    std::optional<std::string> eosToken;
    /// False: SentencePiece puts its prefix space only before text at the very beginning, not after
    /// special tokens.
    bool legacyPrefix = true;
    std::vector<AddedToken> addedTokens;
    /// Special tokens that are named without an id.
    std::vector<std::string> additionalSpecials;
};

/// Throws Error(BadTokenizer) naming file and entry.
[[nodiscard]] TokenizerConfig readTokenizerConfig(const std::filesystem::path& folder);

}  // namespace moescope::text
