// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_value.h"

#include "core/base/error.h"
#include "core/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::text::jinja {
namespace {

constexpr int kDeepest = 50;

std::string floatText(double value) {
    const std::string text = fmt::format("{}", value);
    const bool isPlain = text.find_first_not_of("-0123456789") == std::string::npos;
    return isPlain ? text + ".0" : text;
}

std::string quotedText(const std::string& text) {
    const bool useDouble =
        text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
    const char quote = useDouble ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        switch (c) {
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\\':
                out += "\\\\";
                break;
            default:
                if (c == quote) {
                    out.push_back('\\');
                }
                out.push_back(c);
        }
    }
    out.push_back(quote);
    return out;
}

bool equalLists(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Value& x, const Value& y) { return x == y; });
}

bool equalDicts(const Dict& a, const Dict& b) {
    return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
               const Value* other = findKey(b, entry.first);
               return other != nullptr && entry.second == *other;
           });
}

}  // namespace

const Value* Arguments::find(std::size_t index, std::string_view name) const {
    if (index < positional.size()) {
        return &positional[index];
    }
    return findKey(named, name);
}

void throwUnsupported(const std::string& message) {
    throw Error(ErrorCode::Unsupported, message);
}

const Value* findKey(const Dict& dict, std::string_view key) {
    const auto found = std::find_if(dict.begin(), dict.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    return found != dict.end() ? &found->second : nullptr;
}

std::vector<std::string> charactersOf(std::string_view text) {
    std::vector<std::string> out;
    std::size_t length = 0;
    for (std::size_t at = 0; at < text.size(); at += length) {
        length = std::max<std::size_t>(1, utf8SequenceLength(text, at));
        out.emplace_back(text.substr(at, length));
    }
    return out;
}

const List* Value::list() const {
    const auto* shared = std::get_if<std::shared_ptr<const List>>(&m_data);
    return shared != nullptr ? shared->get() : nullptr;
}

const Dict* Value::dict() const {
    if (const auto* shared = std::get_if<std::shared_ptr<const Dict>>(&m_data)) {
        return shared->get();
    }
    return namespaceMembers();
}

Dict* Value::namespaceMembers() const {
    const auto* space = std::get_if<Namespace>(&m_data);
    return space != nullptr ? space->members.get() : nullptr;
}

const Function* Value::function() const {
    const auto* shared = std::get_if<std::shared_ptr<const Function>>(&m_data);
    return shared != nullptr ? shared->get() : nullptr;
}

bool Value::isTrue() const {
    if (isUndefined() || isNone()) {
        return false;
    }
    if (isNumber()) {
        return toDouble() != 0;
    }
    return function() != nullptr || length() != 0;
}

std::int64_t Value::toInteger() const {
    if (const auto* integer = std::get_if<std::int64_t>(&m_data)) {
        return *integer;
    }
    if (const auto* boolean = std::get_if<bool>(&m_data)) {
        return *boolean ? 1 : 0;
    }
    throwUnsupported(fmt::format("an integer is needed, found {}", kind()));
}

double Value::toDouble() const {
    const auto* real = std::get_if<double>(&m_data);
    return real != nullptr ? *real : static_cast<double>(toInteger());
}

std::string Value::toText() const {
    if (const auto* text = string()) {
        return *text;
    }
    return isUndefined() ? std::string() : toRepresentation();
}

std::string Value::toRepresentation() const {
    thread_local int depth = 0;  // namespaces can contain themselves
    struct Guard {
        Guard() { ++depth; }
        ~Guard() { --depth; }
    } guard;
    if (depth > kDeepest) {
        throwUnsupported("a value is nested too deeply to be printed");
    }
    if (isNone()) {
        return "None";
    }
    if (isBool()) {
        return isTrue() ? "True" : "False";
    }
    if (isInteger()) {
        return std::to_string(toInteger());
    }
    if (isFloat()) {
        return floatText(toDouble());
    }
    if (const auto* text = string()) {
        return quotedText(*text);
    }
    std::string out;
    if (const auto* members = list()) {
        for (const Value& member : *members) {
            out += (out.empty() ? "" : ", ") + member.toRepresentation();
        }
        return "[" + out + "]";
    }
    if (const auto* entries = dict()) {
        for (const auto& [key, value] : *entries) {
            out += (out.empty() ? "" : ", ") + quotedText(key) + ": " + value.toRepresentation();
        }
        return "{" + out + "}";
    }
    throwUnsupported(fmt::format("{} cannot be printed", kind()));
}

std::string_view Value::kind() const {
    constexpr std::string_view kKinds[] = {
        "an undefined value", "none",   "a truth value", "an integer",  "a number",
        "a string",           "a list", "a dictionary",  "a namespace", "a function"};
    return kKinds[m_data.index()];
}

List Value::items() const {
    if (isUndefined()) {
        return {};
    }
    if (const auto* members = list()) {
        return *members;
    }
    List out;
    if (const auto* entries = dict()) {
        for (const auto& entry : *entries) {
            out.emplace_back(entry.first);
        }
        return out;
    }
    if (const auto* text = string()) {
        for (std::string& character : charactersOf(*text)) {
            out.emplace_back(std::move(character));
        }
        return out;
    }
    throwUnsupported(fmt::format("{} has no members to visit", kind()));
}

std::int64_t Value::length() const {
    if (isUndefined()) {
        return 0;
    }
    if (const auto* members = list()) {
        return static_cast<std::int64_t>(members->size());
    }
    if (const auto* entries = dict()) {
        return static_cast<std::int64_t>(entries->size());
    }
    if (const auto* text = string()) {
        return std::count_if(text->begin(), text->end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        });
    }
    throwUnsupported(fmt::format("{} has no length", kind()));
}

bool operator==(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) {
        return a.toDouble() == b.toDouble();
    }
    if (a.string() != nullptr && b.string() != nullptr) {
        return *a.string() == *b.string();
    }
    if (a.list() != nullptr && b.list() != nullptr) {
        return equalLists(*a.list(), *b.list());
    }
    if (a.dict() != nullptr && b.dict() != nullptr) {
        return a.dict() == b.dict() || equalDicts(*a.dict(), *b.dict());
    }
    return (a.isNone() && b.isNone()) || (a.isUndefined() && b.isUndefined());
}

bool isLess(const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) {
        return a.toDouble() < b.toDouble();
    }
    if (a.string() != nullptr && b.string() != nullptr) {
        return *a.string() < *b.string();
    }
    throwUnsupported(fmt::format("{} and {} have no order", a.kind(), b.kind()));
}

bool contains(const Value& container, const Value& member) {
    if (const auto* text = container.string()) {
        if (member.string() == nullptr) {
            throwUnsupported(
                fmt::format("\"in\" a string needs a string, found {}", member.kind()));
        }
        return text->find(*member.string()) != std::string::npos;
    }
    const List items = container.items();
    return std::any_of(items.begin(), items.end(),
                       [&](const Value& item) { return item == member; });
}

}  // namespace moescope::text::jinja
