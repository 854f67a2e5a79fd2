// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/json_components.h"

#include "core/base/error.h"
#include "core/text/json_reading.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace moescope::text {
namespace {

using nlohmann::json;

/// The pattern with which byte-level tokenizers cut words when the file names no other (GPT-2).
constexpr const char* kByteLevelPattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
constexpr const char* kNumber = "\\p{N}";  // Rust's char::is_numeric
constexpr const char* kPunctuation = "[\\p{P}!-/:-@\\x{5B}-`{-~]";

/// A pattern that matches `text` itself.
std::string literal(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x80 &&
            std::isalnum(static_cast<unsigned char>(c)) == 0) {
            out.push_back('\\');
        }
        out.push_back(c);
    }
    return out;
}

const std::string* stringIn(const json& pattern, const char* key) {
    const auto found = pattern.find(key);
    return found != pattern.end() && found->is_string() ? found->get_ptr<const std::string*>()
                                                        : nullptr;
}

Regex regexOf(const json& pattern, const std::string& where) {
    if (const auto* regex = stringIn(pattern, "Regex")) {
        return {*regex, where};
    }
    if (const auto* text = stringIn(pattern, "String")) {
        return {literal(*text), where};
    }
    throwBadTokenizer(where, "a pattern must be a \"Regex\" or a \"String\"");
}

[[noreturn]] void throwUnknown(const std::string& type, const std::string& where) {
    throwBadTokenizer(where, fmt::format("the component \"{}\" is not supported", type));
}

constexpr int kDeepest = 8;

/// Calls `one` for the components of a Sequence under `key`, or for the value itself.
void forEach(const json& value, const char* key, const std::string& where,
             const std::function<void(const json&, const std::string& type)>& one, int depth = 0) {
    if (value.is_null()) {
        return;
    }
    const std::string type = stringMember(value, "type", where);
    if (type != "Sequence") {
        one(value, type);
        return;
    }
    const json& parts = member(value, key, where);
    if (!parts.is_array() || depth > kDeepest) {
        throwBadTokenizer(where, fmt::format("\"{}\" must be a list of components", key));
    }
    for (const json& part : parts) {
        forEach(part, key, where, one, depth + 1);
    }
}

std::optional<NormalForm> normalFormOf(const std::string& type) {
    return type == "NFC"    ? std::optional(NormalForm::Nfc)
           : type == "NFD"  ? std::optional(NormalForm::Nfd)
           : type == "NFKC" ? std::optional(NormalForm::Nfkc)
           : type == "NFKD" ? std::optional(NormalForm::Nfkd)
                            : std::nullopt;
}

PreTokenizer::Behavior behaviorOf(const std::string& word, const std::string& where) {
    using Behavior = PreTokenizer::Behavior;
    constexpr std::pair<const char*, Behavior> kWords[] = {
        {"Removed", Behavior::Removed},
        {"Isolated", Behavior::Isolated},
        {"MergedWithPrevious", Behavior::MergedWithPrevious},
        {"MergedWithNext", Behavior::MergedWithNext},
        {"Contiguous", Behavior::Contiguous}};
    for (const auto& [name, behavior] : kWords) {
        if (word == name) {
            return behavior;
        }
    }
    throwBadTokenizer(where, fmt::format("the split behavior \"{}\" is not known", word));
}

PreTokenizer::Split splitOf(const json& value, const std::string& where) {
    return {regexOf(member(value, "pattern", where), where),
            behaviorOf(stringMember(value, "behavior", where), where),
            boolMember(value, "invert", false, where)};
}

PreTokenizer::Metaspace metaspaceOf(const json& value, const std::string& where) {
    using Prepend = PreTokenizer::Metaspace::Prepend;
    PreTokenizer::Metaspace step;
    step.mark = stringMember(value, "replacement", where);
    if (step.mark.empty()) {
        throwBadTokenizer(where, "the replacement of Metaspace is empty");
    }
    const std::string scheme =
        value.contains("prepend_scheme") ? stringMember(value, "prepend_scheme", where) : "always";
    if (scheme != "always" && scheme != "first" && scheme != "never") {
        throwBadTokenizer(where, fmt::format("the prepend_scheme \"{}\" is not known", scheme));
    }
    step.prepend = scheme == "first" ? Prepend::First
                   : scheme == "never" || !boolMember(value, "add_prefix_space", true, where)
                       ? Prepend::Never
                       : Prepend::Always;
    step.split = boolMember(value, "split", true, where);
    return step;
}

PreTokenizer::Step preTokenizerStep(const json& value, const std::string& type,
                                    const std::string& where) {
    using Behavior = PreTokenizer::Behavior;
    if (type == "Split") {
        return splitOf(value, where);
    }
    if (type == "Digits") {
        const bool single = boolMember(value, "individual_digits", false, where);
        return PreTokenizer::Split{Regex(single ? kNumber : fmt::format("{}+", kNumber), where)};
    }
    if (type == "ByteLevel") {
        PreTokenizer::ByteLevel step{boolMember(value, "add_prefix_space", true, where), {}};
        if (boolMember(value, "use_regex", true, where)) {
            step.pattern.emplace(kByteLevelPattern, where);
        }
        return step;
    }
    if (type == "Metaspace") {
        return metaspaceOf(value, where);
    }
    if (type == "WhitespaceSplit") {
        return PreTokenizer::Split{Regex("\\s+", where), Behavior::Removed};
    }
    if (type == "Punctuation") {
        const bool given = value.contains("behavior");
        return PreTokenizer::Split{
            Regex(kPunctuation, where),
            given ? behaviorOf(stringMember(value, "behavior", where), where) : Behavior::Isolated};
    }
    throwUnknown(type, where);
}

std::vector<TokenId> idsOf(const json& values, const std::string& where) {
    std::vector<TokenId> ids;
    for (const json& value : values) {
        ids.push_back(tokenIdOf(value, where));
    }
    return ids;
}

/// `single` lists special tokens by name and the text as the sequence A.
Template singleTemplate(const json& value, const std::string& where) {
    Template result;
    bool isBehind = false;
    for (const json& part : member(value, "single", where)) {
        if (part.contains("Sequence")) {
            isBehind = true;
            continue;
        }
        const std::string name = stringMember(member(part, "SpecialToken", where), "id", where);
        const json& token = member(member(value, "special_tokens", where), name.c_str(), where);
        const auto ids = idsOf(member(token, "ids", where), where);
        auto& side = isBehind ? result.suffix : result.prefix;
        side.insert(side.end(), ids.begin(), ids.end());
    }
    return result;
}

/// BertProcessing and RobertaProcessing: ["<s>", 0] before and ["</s>", 2] behind.
Template pairTemplate(const json& value, const std::string& where) {
    const auto idIn = [&](const char* key) {
        const json& pair = member(value, key, where);
        if (!pair.is_array() || pair.size() != 2) {
            throwBadTokenizer(where, fmt::format("\"{}\" must be a token and its id", key));
        }
        return tokenIdOf(pair[1], where);
    };
    return {{idIn("cls")}, {idIn("sep")}};
}

bool isByteToken(const std::string& piece) {
    return piece.size() == 6 && piece.starts_with("<0x") && piece[5] == '>' &&
           std::isxdigit(static_cast<unsigned char>(piece[3])) != 0 &&
           std::isxdigit(static_cast<unsigned char>(piece[4])) != 0;
}

}  // namespace

Normalizer normalizerOf(const json& value, const std::string& where) {
    Normalizer normalizer;
    forEach(value, "normalizers", where, [&](const json& part, const std::string& type) {
        if (const auto form = normalFormOf(type)) {
            normalizer.add(*form);
        } else if (type == "Prepend") {
            normalizer.add(Normalizer::Prepend{stringMember(part, "prepend", where)});
        } else if (type == "Replace") {
            const json& pattern = member(part, "pattern", where);
            const std::string with = stringMember(part, "content", where);
            if (const auto* text = stringIn(pattern, "String")) {
                normalizer.add(Normalizer::Replace{*text, with});
            } else {
                normalizer.add(Normalizer::Replace{regexOf(pattern, where), with});
            }
        } else {
            throwUnknown(type, where);
        }
    });
    return normalizer;
}

PreTokenizer preTokenizerOf(const json& value, const std::string& where) {
    PreTokenizer preTokenizer;
    forEach(value, "pretokenizers", where, [&](const json& part, const std::string& type) {
        if (preTokenizer.isByteLevel()) {
            throwBadTokenizer(where, fmt::format("\"{}\" after ByteLevel is not supported", type));
        }
        preTokenizer.add(preTokenizerStep(part, type, where));
    });
    return preTokenizer;
}

Template templateOf(const json& value, const std::string& where) {
    Template result;
    forEach(value, "processors", where, [&](const json& part, const std::string& type) {
        Template added;
        if (type == "TemplateProcessing") {
            added = singleTemplate(part, where);
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            added = pairTemplate(part, where);
        } else if (type != "ByteLevel") {  // which only trims offsets
            throwUnknown(type, where);
        }
        result.prefix.insert(result.prefix.begin(), added.prefix.begin(), added.prefix.end());
        result.suffix.insert(result.suffix.end(), added.suffix.begin(), added.suffix.end());
    });
    return result;
}

PieceDecoding decodingOf(const json& value, const std::string& where) {
    PieceDecoding decoding;
    forEach(value, "decoders", where, [&](const json& part, const std::string& type) {
        if (type == "ByteLevel") {
            decoding.byteLevel = true;
        } else if (type == "ByteFallback") {
            decoding.byteFallback = true;
        } else if (type == "Metaspace") {
            decoding.replacements.emplace_back(stringMember(part, "replacement", where), " ");
        } else if (type == "Replace") {
            // A pattern could span pieces; none that is published does. Strip and Fuse act on whole
            // texts.
            if (const auto* text = stringIn(member(part, "pattern", where), "String")) {
                decoding.replacements.emplace_back(*text, stringMember(part, "content", where));
            }
        }
    });
    return decoding;
}

std::string PieceDecoding::apply(const std::string& piece) const {
    if (byteFallback && isByteToken(piece)) {
        return {static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16))};
    }
    std::string text = piece;
    for (const auto& [what, with] : replacements) {
        Normalizer replace;
        replace.add(Normalizer::Replace{what, with});
        text = replace.apply(text);
    }
    return text;
}

}  // namespace moescope::text
