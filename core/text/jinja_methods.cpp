// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_builtins.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace moescope::text::jinja {
namespace {

const std::string& textArgument(const Arguments& arguments, std::size_t index,
                                std::string_view name) {
    const Value* value = arguments.find(index, name);
    if (value == nullptr || value->string() == nullptr) {
        throwUnsupported(fmt::format("a method needs a string as argument {}", index + 1));
    }
    return *value->string();
}

std::int64_t countArgument(const Arguments& arguments, std::size_t index, std::string_view name) {
    const Value* value = arguments.find(index, name);
    return value == nullptr ? -1 : value->toInteger();
}

enum class Side { Left, Right, Both };

std::string_view strippedOn(std::string_view text, Side side) {
    const std::string_view both = stripped(text);
    if (side == Side::Both || both.empty()) {
        return both;
    }
    const auto begin = static_cast<std::size_t>(both.data() - text.data());
    return side == Side::Left ? text.substr(begin) : text.substr(0, begin + both.size());
}

Value strip(const std::string& text, const Arguments& arguments, Side side) {
    const Value* given = arguments.find(0, "chars");
    if (given == nullptr || given->isNone()) {
        return strippedOn(text, side);
    }
    const auto unwanted = charactersOf(textArgument(arguments, 0, "chars"));
    std::vector<std::string> characters = charactersOf(text);
    const auto isWanted = [&](const std::string& character) {
        return std::find(unwanted.begin(), unwanted.end(), character) == unwanted.end();
    };
    auto begin = characters.begin();
    auto end = characters.end();
    if (side != Side::Right) {
        begin = std::find_if(begin, end, isWanted);
    }
    while (side != Side::Left && end != begin && !isWanted(*(end - 1))) {
        --end;
    }
    std::string out;
    for (; begin != end; ++begin) {
        out += *begin;
    }
    return out;
}

Value splitOnSpace(std::string_view text, std::int64_t most) {
    List parts;
    text = strippedOn(text, Side::Left);
    while (!text.empty()) {
        std::size_t end = 0;
        while (end < text.size() && !isSpace(codePointAt(text, end).value)) {
            end += codePointAt(text, end).length;
        }
        if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
            end = text.size();
        }
        parts.emplace_back(text.substr(0, end));
        text = strippedOn(text.substr(end), Side::Left);
    }
    return parts;
}

Value split(const std::string& text, const Arguments& arguments) {
    const std::int64_t most = countArgument(arguments, 1, "maxsplit");
    const Value* separator = arguments.find(0, "sep");
    if (separator == nullptr || separator->isNone()) {
        return splitOnSpace(text, most);
    }
    const std::string& mark = textArgument(arguments, 0, "sep");
    if (mark.empty()) {
        throwUnsupported("split() needs a separator that is not empty");
    }
    List parts;
    std::size_t from = 0;
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, from)) {
        if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
            break;
        }
        parts.emplace_back(text.substr(from, at - from));
        from = at + mark.size();
    }
    parts.emplace_back(text.substr(from));
    return parts;
}

Value splitLines(const std::string& text) {
    List lines;
    std::size_t from = 0;
    while (from < text.size()) {
        const std::size_t end = std::min(text.find_first_of("\r\n", from), text.size());
        lines.emplace_back(text.substr(from, end - from));
        from = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
    }
    return lines;
}

/// str.startswith() and endswith() take one string or several.
bool hasAffix(const std::string& text, const Arguments& arguments, bool atStart) {
    const Value* affixes = arguments.find(0, "prefix");
    if (affixes == nullptr) {
        throwUnsupported("startswith() and endswith() need a string");
    }
    const List all = affixes->list() != nullptr ? *affixes->list() : List{*affixes};
    return std::any_of(all.begin(), all.end(), [&](const Value& affix) {
        if (affix.string() == nullptr) {
            throwUnsupported("startswith() and endswith() need strings");
        }
        return atStart ? text.starts_with(*affix.string()) : text.ends_with(*affix.string());
    });
}

Value replace(const std::string& text, const Arguments& arguments) {
    const std::string& what = textArgument(arguments, 0, "old");
    const std::string& with = textArgument(arguments, 1, "new");
    std::int64_t left = countArgument(arguments, 2, "count");
    if (what.empty()) {
        throwUnsupported("replace() of an empty string is not supported");
    }
    std::string out;
    std::size_t from = 0;
    for (std::size_t at = text.find(what); at != std::string::npos && left != 0;
         at = text.find(what, from), --left) {
        out.append(text, from, at - from);
        out += with;
        from = at + what.size();
        requireTextSize(out.size());
    }
    return out.append(text, from);
}

Value capitalized(const std::string& text) {
    const auto characters = charactersOf(text);
    if (characters.empty()) {
        return text;
    }
    return toUpper(characters.front()) + toLower(text.substr(characters.front().size()));
}

Value titled(const std::string& text) {
    std::string out;
    bool beginsWord = true;
    for (const std::string& character : charactersOf(text)) {
        out += beginsWord ? toUpper(character) : toLower(character);
        beginsWord = !isWordCharacter(codePointAt(character, 0).value);
    }
    return out;
}

/// Offset in characters of the first occurrence, -1 for none.
Value findIn(const std::string& text, const Arguments& arguments) {
    const std::size_t at = text.find(textArgument(arguments, 0, "sub"));
    return at == std::string::npos ? std::int64_t{-1} : Value(text.substr(0, at)).length();
}

Value countIn(const std::string& text, const std::string& what) {
    std::int64_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos && !what.empty();
         at = text.find(what, at + what.size())) {
        ++count;
    }
    return count;
}

std::string withoutAffix(const std::string& text, const std::string& affix, bool atStart) {
    if (atStart && text.starts_with(affix)) {
        return text.substr(affix.size());
    }
    if (!atStart && text.ends_with(affix)) {
        return text.substr(0, text.size() - affix.size());
    }
    return text;
}

std::optional<Value> stringMethod(const std::string& text, const std::string& name,
                                  const Arguments& arguments) {
    if (name == "strip" || name == "lstrip" || name == "rstrip") {
        return strip(text, arguments,
                     name == "strip"    ? Side::Both
                     : name == "lstrip" ? Side::Left
                                        : Side::Right);
    }
    if (name == "startswith" || name == "endswith") {
        return hasAffix(text, arguments, name == "startswith");
    }
    if (name == "removeprefix" || name == "removesuffix") {
        return withoutAffix(text, textArgument(arguments, 0, "prefix"), name == "removeprefix");
    }
    if (name == "join") {
        Arguments separator;
        separator.positional.emplace_back(text);
        const Value* members = arguments.find(0, "iterable");
        return applyFilter("join", members != nullptr ? *members : Value(), separator);
    }
    if (name == "split") {
        return split(text, arguments);
    }
    if (name == "splitlines") {
        return splitLines(text);
    }
    if (name == "replace") {
        return replace(text, arguments);
    }
    if (name == "upper" || name == "lower") {
        return name == "upper" ? toUpper(text) : toLower(text);
    }
    if (name == "capitalize" || name == "title") {
        return name == "title" ? titled(text) : capitalized(text);
    }
    if (name == "find") {
        return findIn(text, arguments);
    }
    if (name == "count") {
        return countIn(text, textArgument(arguments, 0, "sub"));
    }
    return std::nullopt;
}

std::optional<Value> dictMethod(const Value& object, const std::string& name,
                                const Arguments& arguments) {
    const Dict& dict = *object.dict();
    if (name == "get") {
        const Value* key = arguments.find(0, "key");
        const Value* found =
            key != nullptr && key->string() != nullptr ? findKey(dict, *key->string()) : nullptr;
        const Value* otherwise = arguments.find(1, "default");
        return found != nullptr ? *found : otherwise != nullptr ? *otherwise : Value::None{};
    }
    if (name == "items") {
        return applyFilter("items", object, {});
    }
    if (name != "keys" && name != "values") {
        return std::nullopt;
    }
    List out;
    for (const auto& [key, value] : dict) {
        out.push_back(name == "keys" ? Value(key) : value);
    }
    return out;
}

std::optional<Value> listMethod(const List& list, const std::string& name,
                                const Arguments& arguments) {
    const Value* wanted = arguments.find(0, "value");
    if (name == "count" && wanted != nullptr) {
        return static_cast<std::int64_t>(
            std::count_if(list.begin(), list.end(), [&](const Value& v) { return v == *wanted; }));
    }
    if (name == "index" && wanted != nullptr) {
        const auto found =
            std::find_if(list.begin(), list.end(), [&](const Value& v) { return v == *wanted; });
        if (found == list.end()) {
            throwUnsupported("index() of a value that is not in the list");
        }
        return static_cast<std::int64_t>(found - list.begin());
    }
    return std::nullopt;
}

}  // namespace

void requireTextSize(std::size_t bytes) {
    if (bytes > kMaxTextBytes) {
        throwUnsupported("the template builds a text beyond 256 MiB");
    }
}

std::optional<Value> callMethod(const Value& object, const std::string& name,
                                const Arguments& arguments) {
    if (const auto* text = object.string()) {
        return stringMethod(*text, name, arguments);
    }
    if (object.dict() != nullptr && object.namespaceMembers() == nullptr) {
        return dictMethod(object, name, arguments);
    }
    return object.list() != nullptr ? listMethod(*object.list(), name, arguments) : std::nullopt;
}

Value memberOf(const Value& object, std::string_view name) {
    if (object.isUndefined()) {
        throwUnsupported(fmt::format("a member \"{}\" of an undefined value is asked for", name));
    }
    const Dict* dict = object.dict();
    const Value* found = dict != nullptr ? findKey(*dict, name) : nullptr;
    return found != nullptr ? *found : Value(Value::Undefined{std::string(name)});
}

}  // namespace moescope::text::jinja
