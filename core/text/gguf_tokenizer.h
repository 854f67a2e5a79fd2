// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace moescope::text {

/// Whether this is a GGUF file by its name.
[[nodiscard]] bool isGgufPath(const std::filesystem::path& path);

/// The tokenizer in a GGUF file's metadata: "llama" (SentencePiece pieces with scores) and "gpt2"
/// (byte-level pairs, whose pre-tokenizer the file only names). Encodes as the model's own files
/// would; what GGUF does not say (a normalizer beyond NFC, white space around added tokens) is
/// taken to be absent. Throws Error(FileNotFound) for a file without a tokenizer,
/// Error(BadTokenizer) naming the entry that is not understood.
[[nodiscard]] std::unique_ptr<Tokenizer> loadGgufTokenizer(const std::filesystem::path& file);
/// The same from a file's bytes; `where` names it in messages.
[[nodiscard]] std::unique_ptr<Tokenizer> readGgufTokenizer(std::span<const std::byte> file,
                                                           const std::string& where);

/// The chat template of a GGUF file. Throws Error(BadTokenizer) where there is none.
[[nodiscard]] ChatTemplate loadGgufChatTemplate(const std::filesystem::path& file);

}  // namespace moescope::text
