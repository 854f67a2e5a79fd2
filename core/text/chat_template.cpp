// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/chat_template.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/text/gguf_tokenizer.h"
#include "core/text/jinja_evaluator.h"
#include "core/text/jinja_parser.h"
#include "core/text/json_reading.h"
#include "core/text/utf8.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <optional>

namespace moescope::text {
namespace {

using nlohmann::json;

/// strftime() of noon on a fixed day, which is the day that Llama 3's template falls back on.
jinja::Value fixedDate(const jinja::Arguments& arguments) {
    constexpr std::pair<char, std::string_view> kFields[] = {
        {'d', "26"},   {'m', "07"},  {'Y', "2024"},   {'y', "24"},
        {'B', "July"}, {'b', "Jul"}, {'A', "Friday"}, {'a', "Fri"},
        {'H', "12"},   {'I', "12"},  {'M', "00"},     {'S', "00"},
        {'p', "PM"},   {'j', "208"}, {'%', "%"},      {'F', "2024-07-26"}};
    const jinja::Value* format = arguments.find(0, "format");
    if (format == nullptr || format->string() == nullptr) {
        jinja::throwUnsupported("strftime_now() needs a format");
    }
    std::string out;
    const std::string& text = *format->string();
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const char letter = i + 1 < text.size() ? text[++i] : '\0';
        const auto* field = std::find_if(std::begin(kFields), std::end(kFields),
                                         [&](const auto& entry) { return entry.first == letter; });
        if (field == std::end(kFields)) {
            jinja::throwUnsupported(fmt::format("strftime_now(\"{}\") is not supported", text));
        }
        out += field->second;
    }
    return out;
}

std::optional<std::string> tokenText(const json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    const auto content = value.is_object() ? value.find("content") : value.end();
    return content != value.end() && content->is_string()
               ? std::optional(content->get<std::string>())
               : std::nullopt;
}

void addTokens(const json& object, ChatTemplate::SpecialTokens& tokens) {
    for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token", "sep_token",
                            "cls_token", "mask_token"}) {
        const auto found = object.find(key);
        const bool known = std::any_of(tokens.begin(), tokens.end(),
                                       [&](const auto& entry) { return entry.first == key; });
        if (found == object.end() || known) {
            continue;
        }
        if (auto text = tokenText(*found)) {
            tokens.emplace_back(key, *std::move(text));
        }
    }
}

/// A template, or several with names.
std::optional<std::string> sourceIn(const json& object, const std::string& where) {
    const auto entry = object.find("chat_template");
    if (entry == object.end() || entry->is_null()) {
        return std::nullopt;
    }
    if (entry->is_string()) {
        return entry->get<std::string>();
    }
    if (entry->is_array()) {
        for (const json& one : *entry) {
            if (stringMember(one, "name", where) == "default") {
                return stringMember(one, "template", where);
            }
        }
    }
    throwBadTokenizer(where,
                      "\"chat_template\" must be a template, or a list with one that is "
                      "called \"default\"");
}

json readObject(const std::filesystem::path& path) {
    json object = readJsonFile(path);
    if (!object.is_object()) {
        throwBadTokenizer(path.string(), "must be an object");
    }
    return object;
}

}  // namespace

struct ChatTemplate::Impl {
    jinja::Body body;
    jinja::Dict variables;
    std::string name;

    /// Puts the template's name before what went wrong in it.
    [[noreturn]] static void rethrow(const Error& error, const std::string& name) {
        if (error.code() == ErrorCode::BadText) {
            throw Error(ErrorCode::BadText,
                        fmt::format("{} refuses the text: {}", name, error.what()));
        }
        throw Error(error.code(), fmt::format("{}: {}. Leave out --chat to run the text as it is.",
                                              name, error.what()));
    }
};

ChatTemplate::ChatTemplate(std::string_view source,
                           // NOLINTNEXTLINE(performance-unnecessary-value-param): moved from below
                           SpecialTokens specialTokens, std::string name)
    : m_impl(std::make_unique<Impl>()) {
    m_impl->name = std::move(name);
    try {
        requireUtf8(source, "the template");
        m_impl->body = jinja::parseTemplate(source);
    } catch (const Error& error) {
        Impl::rethrow(error, m_impl->name);
    }
    for (auto& [key, text] : specialTokens) {
        m_impl->variables.emplace_back(std::move(key), std::move(text));
    }
    m_impl->variables.emplace_back("tools", jinja::Value::None{});
    m_impl->variables.emplace_back("documents", jinja::Value::None{});
    m_impl->variables.emplace_back("strftime_now", jinja::Function(fixedDate));
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages,
                                 bool addGenerationPrompt) const {
    jinja::List list;
    for (const ChatMessage& message : messages) {
        list.emplace_back(jinja::Dict{{"role", message.role}, {"content", message.content}});
    }
    jinja::Dict variables = m_impl->variables;
    variables.emplace_back("messages", std::move(list));
    variables.emplace_back("add_generation_prompt", addGenerationPrompt);
    try {
        return jinja::render(m_impl->body, std::move(variables));
    } catch (const Error& error) {
        Impl::rethrow(error, m_impl->name);
    }
}

std::string ChatTemplate::renderUserMessage(std::string_view text) const {
    return render({{"user", std::string(text)}}, true);
}

ChatTemplate loadChatTemplate(const std::filesystem::path& folder) {
    if (isGgufPath(folder)) {
        return loadGgufChatTemplate(folder);
    }
    ChatTemplate::SpecialTokens tokens;
    std::optional<std::string> source;
    std::filesystem::path from = folder / "chat_template.jinja";
    if (std::filesystem::exists(from)) {
        source = readTextFile(from, std::uint64_t{16} << 20U);
    }
    for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
        const auto path = folder / name;
        if (!std::filesystem::exists(path)) {
            continue;
        }
        const json object = readObject(path);
        addTokens(object, tokens);
        if (!source) {
            source = sourceIn(object, path.string());
            from = path;
        }
    }
    if (const auto path = folder / "special_tokens_map.json"; std::filesystem::exists(path)) {
        addTokens(readObject(path), tokens);
    }
    if (!source) {
        throw Error(ErrorCode::BadTokenizer,
                    fmt::format("{} has no chat template (chat_template.jinja, or "
                                "\"chat_template\" in tokenizer_config.json). Leave out --chat to "
                                "run the text as it is.",
                                folder.string()));
    }
    return {*source, std::move(tokens), "The chat template of " + from.string()};
}

}  // namespace moescope::text
