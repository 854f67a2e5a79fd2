// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/text/gguf_tokenizer.h"
#include "core/text/json_tokenizer.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer.h"

#include <fmt/format.h>

namespace moescope::text {
namespace {

/// Names what is there instead, so that the remedy fits.
[[noreturn]] void throwNone(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder)) {
        throw Error(ErrorCode::FileNotFound,
                    fmt::format("{} is not a folder with tokenizer files.", folder.string()));
    }
    for (const char* name : {"tiktoken.model", "tekken.json", "vocab.json", "vocab.txt"}) {
        if (std::filesystem::exists(folder / name)) {
            throw Error(ErrorCode::BadTokenizer,
                        fmt::format("{} holds {}, which is not supported: convert the tokenizer "
                                    "to tokenizer.json (save_pretrained() of a fast tokenizer).",
                                    folder.string(), name));
        }
    }
    throw Error(ErrorCode::FileNotFound,
                fmt::format("{} holds neither tokenizer.json nor tokenizer.model. Copy the "
                            "model's tokenizer files beside its config.json.",
                            folder.string()));
}

/// The file's own; files beside it help out where it has none or one of an unknown kind.
std::unique_ptr<Tokenizer> loadOfGguf(const std::filesystem::path& file) {
    const auto folder = std::filesystem::absolute(file).parent_path();
    try {
        return loadGgufTokenizer(file);
    } catch (const Error&) {
        if (std::filesystem::exists(folder / "tokenizer.json") ||
            std::filesystem::exists(folder / "tokenizer.model")) {
            return loadTokenizer(folder);
        }
        throw;
    }
}

}  // namespace

std::unique_ptr<Tokenizer> loadTokenizer(const std::filesystem::path& folder) {
    if (isGgufPath(folder)) {
        return loadOfGguf(folder);
    }
    if (std::filesystem::exists(folder / "tokenizer.json")) {
        return loadJsonTokenizer(folder);
    }
    if (std::filesystem::exists(folder / "tokenizer.model")) {
        return loadSentencePiece(folder);
    }
    throwNone(folder);
}

}  // namespace moescope::text
