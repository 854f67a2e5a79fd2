// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::text {

using TokenId = std::uint32_t;

/// Text to token ids and back, exactly as the model's own tokenizer files say. Thread-safe after
/// loading.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    /// Ids of a document. `addSpecialTokens` puts what the files ask for around it (usually one
    /// BOS). Special tokens written out in the text are recognised as the reference implementation
    /// does. Throws Error(BadText) for text that is not UTF-8, naming the byte offset.
    [[nodiscard]] virtual std::vector<TokenId> encode(std::string_view utf8,
                                                      bool addSpecialTokens) const = 0;

    /// The bytes one token stands for ("\xE2" for a byte token, " the" with its space); a special
    /// token gives its own text ("<s>"). Bytes of consecutive tokens concatenate to the text they
    /// came from, normalised as the files say and with the space that some tokenizers put before
    /// it.
    [[nodiscard]] virtual std::string tokenBytes(TokenId id) const = 0;
    [[nodiscard]] virtual bool isSpecial(TokenId id) const = 0;

    [[nodiscard]] virtual std::size_t vocabularySize() const = 0;
    [[nodiscard]] virtual std::optional<TokenId> bosId() const = 0;
    [[nodiscard]] virtual std::optional<TokenId> idOf(std::string_view token) const = 0;
    /// "SentencePiece BPE, 32000 pieces", for `info`.
    [[nodiscard]] virtual std::string description() const = 0;
    /// SHA-256 of the trained vocabulary in order of ids: equal for models that share a tokenizer,
    /// in whichever file format.
    [[nodiscard]] virtual std::string identity() const = 0;
};

/// Loads tokenizer.json or tokenizer.model of a checkpoint folder, with tokenizer_config.json and
/// special_tokens_map.json where present (BOS flags). tokenizer.json wins when both are there.
/// `folder` may also be a GGUF file, which holds its tokenizer; where it does not, or one of an
/// unknown kind, files beside it are taken.
/// Throws Error(BadTokenizer | FileNotFound) naming the file and the component that is not
/// understood.
[[nodiscard]] std::unique_ptr<Tokenizer> loadTokenizer(const std::filesystem::path& folder);

/// The bytes of a token as a person reads them: valid UTF-8 with visible marks for space, newline,
/// tab and control characters, bytes that are no character in angle quotes (U+2039 E2 U+203A).
[[nodiscard]] std::string displayText(std::string_view tokenBytes);

/// The same for consecutive tokens, one text each. A character whose bytes are spread over several
/// tokens shows in each of them with which part it is: one of three byte tokens shows three times,
/// followed by 1/3, 2/3 and 3/3 in angle quotes.
[[nodiscard]] std::vector<std::string> displayTexts(std::span<const std::string> tokenBytes);

}  // namespace moescope::text
