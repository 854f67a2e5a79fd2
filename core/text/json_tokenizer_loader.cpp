// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/sha256.h"
#include "core/text/byte_alphabet.h"
#include "core/text/json_components.h"
#include "core/text/json_reading.h"
#include "core/text/json_tokenizer.h"
#include "core/text/tokenizer_config.h"
#include "core/text/vocabulary_identity.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace moescope::text {
namespace {

using nlohmann::json;

/// Puts the parts of one tokenizer together.
class Loader {
public:
    explicit Loader(const std::filesystem::path& folder)
        : m_path(folder / "tokenizer.json"),
          m_file(readJsonFile(m_path)),
          m_config(readTokenizerConfig(folder)) {}

    JsonTokenizerParts load() {
        m_parts.normalizer = normalizerOf(entry("normalizer"), where("normalizer"));
        m_parts.preTokenizer = preTokenizerOf(entry("pre_tokenizer"), where("pre_tokenizer"));
        readModel();
        m_parts.identity = vocabularyIdentity(m_parts.pieces);
        readAddedTokens();
        readTemplate();
        readDecoding();
        return std::move(m_parts);
    }

private:
    [[nodiscard]] std::string where(const char* key) const {
        return fmt::format("{}: {}", m_path.string(), key);
    }
    [[nodiscard]] const json& entry(const char* key) const {
        static const json kNull;
        const auto found = m_file.find(key);
        return found != m_file.end() ? *found : kNull;
    }

    void readModel() {
        const json& model = member(m_file, "model", m_path.string());
        JsonBpe bpe = bpeOf(model, m_parts.preTokenizer.isByteLevel(), where("model"));
        m_parts.model = std::move(bpe.parts);
        m_parts.pieces = std::move(bpe.pieces);
        for (std::size_t id = 0; id < m_parts.pieces.size(); ++id) {
            m_ids.emplace(m_parts.pieces[id], static_cast<TokenId>(id));
        }
    }

    void readAddedTokens() {
        for (const json& object : entry("added_tokens")) {
            AddedToken token = addedTokenOf(object, where("added_tokens"));
            token.id =
                tokenIdOf(member(object, "id", where("added_tokens")), where("added_tokens"));
            add(std::move(token));
        }
        for (const AddedToken& token : m_config.addedTokens) {
            add(token);
        }
        // Specials that are only named count where the vocabulary has them.
        std::vector<std::string> named = m_config.additionalSpecials;
        for (const auto& name : {m_config.bosToken, m_config.eosToken}) {
            if (name) {
                named.push_back(*name);
            }
        }
        for (const std::string& name : named) {
            if (const auto id = idOf(name)) {
                AddedToken token;
                token.content = name;
                token.id = *id;
                token.special = true;
                add(token);
            }
        }
    }

    void add(AddedToken token) {
        // A text has one id: that of the vocabulary, else that of its first entry.
        token.id = idOf(token.content).value_or(token.id);
        const bool known =
            std::any_of(m_parts.addedTokens.begin(), m_parts.addedTokens.end(),
                        [&](const AddedToken& other) { return other.content == token.content; });
        if (known || token.content.empty()) {
            return;
        }
        if (token.id > kLargestId) {
            throwBadTokenizer(where("added_tokens"),
                              fmt::format("the id {} is implausibly large", token.id));
        }
        if (token.id >= m_parts.pieces.size()) {
            m_parts.pieces.resize(token.id + 1);
        }
        m_parts.pieces[token.id] = token.content;
        m_ids.emplace(token.content, token.id);
        m_parts.addedTokens.push_back(std::move(token));
    }

    [[nodiscard]] std::optional<TokenId> idOf(const std::string& piece) const {
        const auto found = m_ids.find(piece);
        return found != m_ids.end() ? std::optional(found->second) : std::nullopt;
    }

    void readTemplate() {
        Template around = templateOf(entry("post_processor"), where("post_processor"));
        if (m_config.bosToken) {
            m_parts.bosId = idOf(*m_config.bosToken);
        } else if (!around.prefix.empty()) {
            m_parts.bosId = around.prefix.front();
        }
        // The configuration's flags replace the template, as in transformers (TokenizersBackend).
        if (m_config.addBos || m_config.addEos) {
            around = {};
            if (m_config.addBos.value_or(false) && m_parts.bosId) {
                around.prefix.push_back(*m_parts.bosId);
            }
            const auto eos = m_config.eosToken ? idOf(*m_config.eosToken) : std::nullopt;
            if (m_config.addEos.value_or(false) && eos) {
                around.suffix.push_back(*eos);
            }
        }
        m_parts.prefix = std::move(around.prefix);
        m_parts.suffix = std::move(around.suffix);
    }

    void readDecoding() {
        const PieceDecoding decoding = decodingOf(entry("decoder"), where("decoder"));
        const bool byteLevel = decoding.byteLevel || m_parts.preTokenizer.isByteLevel();
        m_parts.tokenBytes.reserve(m_parts.pieces.size());
        for (const std::string& piece : m_parts.pieces) {
            m_parts.tokenBytes.push_back(byteLevel ? fromByteAlphabet(piece).value_or(piece)
                                                   : decoding.apply(piece));
        }
        for (const AddedToken& token : m_parts.addedTokens) {
            m_parts.tokenBytes[token.id] = token.content;
        }
    }

    std::filesystem::path m_path;
    json m_file;
    TokenizerConfig m_config;
    JsonTokenizerParts m_parts;
    Vocabulary m_ids;
};

}  // namespace

std::unique_ptr<Tokenizer> loadJsonTokenizer(const std::filesystem::path& folder) {
    return std::make_unique<JsonTokenizer>(Loader(folder).load());
}

}  // namespace moescope::text
