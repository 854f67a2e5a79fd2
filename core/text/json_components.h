// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/bpe_model.h"
#include "core/text/normalizer.h"
#include "core/text/pre_tokenizer.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <utility>
#include <vector>

namespace moescope::text {

/// The parts of a tokenizer.json. `where` is how errors call the entry; a component that is not
/// known here is Error(BadTokenizer) naming it, never passed over, because ids would be wrong.

[[nodiscard]] Normalizer normalizerOf(const nlohmann::json& value, const std::string& where);
[[nodiscard]] PreTokenizer preTokenizerOf(const nlohmann::json& value, const std::string& where);

/// The ids that a post-processor puts around a single text.
struct Template {
    std::vector<TokenId> prefix;
    std::vector<TokenId> suffix;
};
[[nodiscard]] Template templateOf(const nlohmann::json& value, const std::string& where);

/// How a decoder turns pieces into text, as far as it concerns single pieces.
struct PieceDecoding {
    bool byteLevel = false;
    bool byteFallback = false;
    std::vector<std::pair<std::string, std::string>> replacements;

    [[nodiscard]] std::string apply(const std::string& piece) const;
};
[[nodiscard]] PieceDecoding decodingOf(const nlohmann::json& value, const std::string& where);

/// The byte-pair model and its pieces as the file writes them, by id.
struct JsonBpe {
    BpeParts parts;
    std::vector<std::string> pieces;
};
[[nodiscard]] JsonBpe bpeOf(const nlohmann::json& value, bool byteLevel, const std::string& where);

/// Larger ids are taken for damage: the largest published vocabularies hold about 260,000 pieces.
inline constexpr TokenId kLargestId = (TokenId{1} << 22U) - 1;

}  // namespace moescope::text
