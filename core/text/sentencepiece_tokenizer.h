// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/sentencepiece_proto.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_config.h"

#include <filesystem>
#include <memory>

namespace moescope::text {

/// Reads a tokenizer.model with its configuration. Special pieces written out in a text (control
/// pieces and the unknown one, and what the configuration adds) are found first; each stretch
/// between is encoded alone (see SentencePieceModel), with its own prefix space where the model
/// asks for one, unless the configuration's `legacy` is false.
/// A document gets a BOS unless the configuration says otherwise or the model has none.
/// Throws Error(BadTokenizer).
[[nodiscard]] std::unique_ptr<Tokenizer> loadSentencePiece(const std::filesystem::path& folder);

/// The same from its parts; `where` names their source in messages.
[[nodiscard]] std::unique_ptr<Tokenizer> makeSentencePiece(SentencePieceProto proto,
                                                           std::string_view where,
                                                           const TokenizerConfig& config);

}  // namespace moescope::text
