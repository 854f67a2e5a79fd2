// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/gguf_tokenizer.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/gguf/gguf_file.h"
#include "core/text/byte_alphabet.h"
#include "core/text/gguf_pre_tokenizer.h"
#include "core/text/json_reading.h"
#include "core/text/json_tokenizer.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/utf8.h"
#include "core/text/vocabulary_identity.h"

#include <fmt/format.h>

#include <utility>

namespace moescope::text {
namespace {

/// Numbers of the format (llama.h, llama_token_type); the same as SentencePiece's.
using PieceType = SentencePieceProto::PieceType;

constexpr std::size_t kMostTokens = std::size_t{1} << 22U;

/// The entries of the metadata that both kinds of tokenizer have.
class GgufVocabulary {
public:
    GgufVocabulary(const gguf::Metadata& metadata, const std::string& where)
        : m_metadata(metadata), m_where(where) {
        tokens = m_metadata.texts("tokenizer.ggml.tokens").value_or(decltype(tokens){});
        if (tokens.empty() || tokens.size() > kMostTokens) {
            throwBadTokenizer(
                where, fmt::format("\"tokenizer.ggml.tokens\" has {} entries", tokens.size()));
        }
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (findInvalidUtf8(tokens[i])) {
                throwBadTokenizer(where, fmt::format("token {} is not UTF-8", i));
            }
        }
        readTypes();
    }

    [[nodiscard]] std::optional<TokenId> id(const char* key) const {
        const auto value = m_metadata.integer(key);
        const bool known =
            value && *value >= 0 && static_cast<std::uint64_t>(*value) < tokens.size();
        return known ? std::optional(static_cast<TokenId>(*value)) : std::nullopt;
    }
    [[nodiscard]] std::optional<bool> flag(const char* key) const { return m_metadata.flag(key); }

    /// Tokens up to the last that the vocabulary was trained with; the rest was added or pads.
    [[nodiscard]] std::size_t trained() const {
        for (std::size_t size = tokens.size(); size > 0; --size) {
            if (types[size - 1] == PieceType::Normal) {
                return size;
            }
        }
        return tokens.size();
    }

    /// Control and user-defined tokens, as they are found in a text.
    [[nodiscard]] std::vector<AddedToken> added() const {
        std::vector<AddedToken> result;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (types[i] == PieceType::Control || types[i] == PieceType::UserDefined) {
                AddedToken token;
                token.content = std::string(tokens[i]);
                token.id = static_cast<TokenId>(i);
                token.special = types[i] == PieceType::Control;
                result.push_back(std::move(token));
            }
        }
        return result;
    }

    std::vector<std::string_view> tokens;
    std::vector<PieceType> types;

private:
    void readTypes() {
        types.assign(tokens.size(), PieceType::Normal);
        const auto numbers = m_metadata.integers("tokenizer.ggml.token_type");
        if (numbers && numbers->size() != tokens.size()) {
            throwBadTokenizer(m_where, fmt::format("\"tokenizer.ggml.token_type\" has {} entries "
                                                   "for {} tokens",
                                                   numbers->size(), tokens.size()));
        }
        for (std::size_t i = 0; numbers && i < numbers->size(); ++i) {
            const std::int64_t number = (*numbers)[i];
            if (number < 1 || number > 6) {
                throwBadTokenizer(m_where,
                                  fmt::format("token {} is of the unknown type {}", i, number));
            }
            types[i] = static_cast<PieceType>(number);
        }
    }

    const gguf::Metadata& m_metadata;
    const std::string& m_where;
};

/// Merges are "a b" in the byte-level alphabet, which has no space.
void readMerges(const gguf::Metadata& metadata, const std::string& where, BpeParts& parts) {
    const auto merges = metadata.texts("tokenizer.ggml.merges");
    if (!merges) {
        throwBadTokenizer(where, "\"tokenizer.ggml.merges\" is missing");
    }
    const auto idOf = [&](std::string_view piece, std::size_t merge) {
        const auto bytes = fromByteAlphabet(piece);
        const auto found = bytes ? parts.vocabulary.find(*bytes) : parts.vocabulary.end();
        if (found == parts.vocabulary.end()) {
            throwBadTokenizer(where, fmt::format("merge {} needs the piece \"{}\", which is not in "
                                                 "the vocabulary",
                                                 merge, piece));
        }
        return found->second;
    };
    parts.merges.reserve(merges->size());
    for (std::size_t i = 0; i < merges->size(); ++i) {
        const std::string_view merge = (*merges)[i];
        const auto space = merge.find(' ');
        if (space == std::string_view::npos ||
            merge.find(' ', space + 1) != std::string_view::npos) {
            throwBadTokenizer(where, fmt::format("merge {} is not of the form \"a b\"", i));
        }
        const std::string_view left = merge.substr(0, space);
        const std::string_view right = merge.substr(space + 1);
        parts.merges.push_back(
            {idOf(left, i), idOf(right, i), idOf(std::string(left).append(right), i)});
    }
}

/// Pieces of normal tokens are bytes in printable characters, those of all others plain text.
void readPieces(const GgufVocabulary& vocabulary, JsonTokenizerParts& parts) {
    parts.model.bytesAsSymbols = true;
    for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
        const std::string piece(vocabulary.tokens[i]);
        const auto id = static_cast<TokenId>(i);
        auto bytes =
            vocabulary.types[i] == PieceType::Normal ? fromByteAlphabet(piece) : std::nullopt;
        if (bytes) {
            parts.model.vocabulary.emplace(*bytes, id);
        }
        parts.tokenBytes.push_back(bytes ? *std::move(bytes) : piece);
        parts.pieces.push_back(piece);
    }
    const auto trained = static_cast<std::ptrdiff_t>(vocabulary.trained());
    parts.identity = vocabularyIdentity({parts.pieces.begin(), parts.pieces.begin() + trained});
}

std::unique_ptr<Tokenizer> byteLevel(const gguf::Metadata& metadata, const std::string& where) {
    const GgufVocabulary vocabulary(metadata, where);
    JsonTokenizerParts parts;
    const auto word = metadata.text("tokenizer.ggml.pre");
    if (!word) {
        throwBadTokenizer(where,
                          "\"tokenizer.ggml.pre\" is missing, as in files of early llama.cpp. "
                          "Get a newer file of the model");
    }
    GgufPreTokenizer rule = ggufPreTokenizer(*word, where);
    parts.preTokenizer = std::move(rule.steps);
    if (rule.normalizeNfc) {
        parts.normalizer.add(NormalForm::Nfc);
    }
    readPieces(vocabulary, parts);
    readMerges(metadata, where, parts.model);
    parts.model.ignoreMerges = rule.ignoreMerges;
    parts.addedTokens = vocabulary.added();
    parts.bosId = vocabulary.id("tokenizer.ggml.bos_token_id");
    if (vocabulary.flag("tokenizer.ggml.add_bos_token").value_or(rule.addBos) && parts.bosId) {
        parts.prefix.push_back(*parts.bosId);
    }
    const auto eos = vocabulary.id("tokenizer.ggml.eos_token_id");
    if (vocabulary.flag("tokenizer.ggml.add_eos_token").value_or(false) && eos) {
        parts.suffix.push_back(*eos);
    }
    return std::make_unique<JsonTokenizer>(std::move(parts));
}

/// SentencePiece models that llama.cpp takes over are pair encodings without normalisation.
std::unique_ptr<Tokenizer> sentencePiece(const gguf::Metadata& metadata, const std::string& where) {
    const GgufVocabulary vocabulary(metadata, where);
    const auto scores = metadata.numbers("tokenizer.ggml.scores");
    if (!scores || scores->size() != vocabulary.tokens.size()) {
        throwBadTokenizer(where, "\"tokenizer.ggml.scores\" does not fit the tokens");
    }
    SentencePieceProto proto;
    proto.modelType = SentencePieceProto::ModelType::Bpe;
    proto.removeExtraSpaces = false;
    proto.addDummyPrefix = metadata.flag("tokenizer.ggml.add_space_prefix").value_or(true);
    const std::size_t trained = vocabulary.trained();
    TokenizerConfig config;
    for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
        const std::string text(vocabulary.tokens[i]);
        if (i < trained) {
            proto.pieces.push_back({text, (*scores)[i], vocabulary.types[i]});
            proto.byteFallback = proto.byteFallback || vocabulary.types[i] == PieceType::Byte;
        }
    }
    for (AddedToken& token : vocabulary.added()) {
        // User-defined pieces of the trained vocabulary are the model's own affair.
        if (token.id >= trained || token.special) {
            config.addedTokens.push_back(std::move(token));
        }
    }
    const auto named = [&](const char* key) {
        const auto id = vocabulary.id(key);
        return id ? std::optional(std::string(vocabulary.tokens[*id])) : std::nullopt;
    };
    config.bosToken = named("tokenizer.ggml.bos_token_id");
    config.eosToken = named("tokenizer.ggml.eos_token_id");
    config.addBos = vocabulary.flag("tokenizer.ggml.add_bos_token");
    config.addEos = vocabulary.flag("tokenizer.ggml.add_eos_token");
    return makeSentencePiece(std::move(proto), where, config);
}

}  // namespace

bool isGgufPath(const std::filesystem::path& path) {
    return path.extension() == ".gguf";
}

std::unique_ptr<Tokenizer> readGgufTokenizer(std::span<const std::byte> file,
                                             const std::string& where) {
    const gguf::File parsed = gguf::readFile(file, where, gguf::Data::MayBeMissing);
    const auto model = parsed.metadata.text("tokenizer.ggml.model");
    if (!model || *model == "no_vocab" || *model == "none") {
        throw Error(ErrorCode::FileNotFound,
                    fmt::format("{} holds no tokenizer. Copy the model's tokenizer.json or "
                                "tokenizer.model beside it.",
                                where));
    }
    if (*model == "gpt2") {
        return byteLevel(parsed.metadata, where);
    }
    if (*model == "llama") {
        return sentencePiece(parsed.metadata, where);
    }
    throwBadTokenizer(where, fmt::format("a tokenizer of the kind \"{}\" is not supported; known "
                                         "are llama and gpt2. Copy the model's tokenizer.json "
                                         "beside the file",
                                         *model));
}

std::unique_ptr<Tokenizer> loadGgufTokenizer(const std::filesystem::path& file) {
    const MappedFile mapped(file);
    return readGgufTokenizer(mapped.bytes(), file.string());
}

ChatTemplate loadGgufChatTemplate(const std::filesystem::path& file) {
    const MappedFile mapped(file);
    const std::string where = file.string();
    const gguf::File parsed = gguf::readFile(mapped.bytes(), where, gguf::Data::MayBeMissing);
    const auto source = parsed.metadata.text("tokenizer.chat_template");
    if (!source) {
        throw Error(ErrorCode::BadTokenizer,
                    fmt::format("{} has no chat template. Leave out --chat to run the text as it "
                                "is.",
                                where));
    }
    ChatTemplate::SpecialTokens specials;
    const auto tokens = parsed.metadata.texts("tokenizer.ggml.tokens");
    constexpr std::pair<const char*, const char*> kNames[] = {{"bos", "bos_token"},
                                                              {"eos", "eos_token"},
                                                              {"unknown", "unk_token"},
                                                              {"padding", "pad_token"}};
    for (const auto& [key, name] : kNames) {
        const auto id = parsed.metadata.integer(fmt::format("tokenizer.ggml.{}_token_id", key));
        if (tokens && id && *id >= 0 && static_cast<std::uint64_t>(*id) < tokens->size()) {
            specials.emplace_back(name, std::string((*tokens)[static_cast<std::size_t>(*id)]));
        }
    }
    return {*source, std::move(specials), "The chat template of " + where};
}

}  // namespace moescope::text
