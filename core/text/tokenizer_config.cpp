// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/tokenizer_config.h"

#include "core/text/json_reading.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace moescope::text {
namespace {

using nlohmann::json;

/// A special token is written as a string or as an object with its flags.
std::optional<std::string> tokenText(const json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_object() && value.contains("content") && value["content"].is_string()) {
        return value["content"].get<std::string>();
    }
    return std::nullopt;
}

void readTexts(const json& values, std::vector<std::string>& out) {
    if (!values.is_array()) {
        return;
    }
    for (const json& value : values) {
        if (auto text = tokenText(value)) {
            out.push_back(*std::move(text));
        }
    }
}

void readNames(const json& object, TokenizerConfig& config) {
    const auto read = [&](const char* key, std::optional<std::string>& into) {
        if (const auto found = object.find(key); found != object.end() && !into) {
            into = tokenText(*found);
        }
    };
    read("bos_token", config.bosToken);
    read("eos_token", config.eosToken);
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
        if (const auto found = object.find(key); found != object.end()) {
            readTexts(*found, config.additionalSpecials);
        }
    }
}

std::optional<bool> flag(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? std::optional(found->get<bool>())
                                                        : std::nullopt;
}

void readAddedTokens(const json& decoder, const std::string& where, TokenizerConfig& config) {
    for (const auto& [key, value] : decoder.items()) {
        TokenId id = 0;
        const char* end = key.data() + key.size();
        const auto [stop, error] = std::from_chars(key.data(), end, id);
        if (error != std::errc() || stop != end) {
            throwBadTokenizer(where, fmt::format("\"{}\" is no token id", key));
        }
        config.addedTokens.push_back(addedTokenOf(value, where));
        config.addedTokens.back().id = id;
    }
}

/// added_tokens.json maps texts to ids and knows no flags.
void readPlainAddedTokens(const std::filesystem::path& path, TokenizerConfig& config) {
    const json object = readJsonFile(path);
    if (!object.is_object()) {
        throwBadTokenizer(path.string(), "must be an object of tokens and ids");
    }
    for (const auto& [content, id] : object.items()) {
        AddedToken token;
        token.content = content;
        token.id = tokenIdOf(id, path.string());
        config.addedTokens.push_back(std::move(token));
    }
}

void readMain(const std::filesystem::path& path, TokenizerConfig& config) {
    const json object = readJsonFile(path);
    if (!object.is_object()) {
        throwBadTokenizer(path.string(), "must be an object");
    }
    config.addBos = flag(object, "add_bos_token");
    config.addEos = flag(object, "add_eos_token");
    config.legacyPrefix = flag(object, "legacy").value_or(true);
    readNames(object, config);
    if (const auto found = object.find("added_tokens_decoder"); found != object.end()) {
        readAddedTokens(*found, path.string() + ": added_tokens_decoder", config);
    }
}

}  // namespace

TokenizerConfig readTokenizerConfig(const std::filesystem::path& folder) {
    TokenizerConfig config;
    if (const auto path = folder / "tokenizer_config.json"; std::filesystem::exists(path)) {
        readMain(path, config);
    }
    if (const auto path = folder / "special_tokens_map.json"; std::filesystem::exists(path)) {
        const json object = readJsonFile(path);
        if (object.is_object()) {
            readNames(object, config);
        }
    }
    if (const auto path = folder / "added_tokens.json";
        config.addedTokens.empty() && std::filesystem::exists(path)) {
        readPlainAddedTokens(path, config);
    }
    return config;
}

}  // namespace moescope::text
