// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_builtins.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace moescope::text::jinja {
namespace {

using Filter = Value (*)(const Value& input, const Arguments& arguments);

bool flag(const Arguments& arguments, std::size_t index, std::string_view name) {
    const Value* value = arguments.find(index, name);
    return value != nullptr && value->isTrue();
}

std::string text(const Arguments& arguments, std::size_t index, std::string_view name,
                 const std::string& otherwise) {
    const Value* value = arguments.find(index, name);
    return value == nullptr || value->isNone() ? otherwise : value->toText();
}

/// A member by path ("function.name"), as attribute= arguments write it.
Value attribute(Value object, const std::string& path) {
    std::size_t from = 0;
    while (from <= path.size()) {
        const std::size_t end = std::min(path.find('.', from), path.size());
        object = memberOf(object, path.substr(from, end - from));
        from = end + 1;
    }
    return object;
}

/// The arguments behind the first `count` positional ones.
Arguments after(const Arguments& arguments, std::size_t count) {
    Arguments rest = arguments;
    rest.positional.erase(rest.positional.begin(),
                          rest.positional.begin() +
                              static_cast<std::ptrdiff_t>(std::min(count, rest.positional.size())));
    return rest;
}

Value joined(const Value& input, const Arguments& arguments) {
    const std::string separator = text(arguments, 0, "d", "");
    const Value* path = arguments.find(1, "attribute");
    std::string out;
    bool isFirst = true;
    for (const Value& item : input.items()) {
        out += isFirst ? "" : separator;
        out += path != nullptr ? attribute(item, path->toText()).toText() : item.toText();
        isFirst = false;
        requireTextSize(out.size());
    }
    return out;
}

Value defaulted(const Value& input, const Arguments& arguments) {
    const bool replaces = input.isUndefined() || (flag(arguments, 1, "boolean") && !input.isTrue());
    const Value* otherwise = arguments.find(0, "default_value");
    return !replaces ? input : otherwise != nullptr ? *otherwise : Value("");
}

Value json(const Value& input, const Arguments& arguments) {
    const Value* indent = arguments.find(1, "indent");
    const bool onOneLine = indent == nullptr || indent->isNone();
    if (arguments.find(2, "separators") != nullptr) {
        throwUnsupported("tojson with separators is not supported");
    }
    return toJson(
        input,
        onOneLine ? -1 : static_cast<int>(std::clamp<std::int64_t>(indent->toInteger(), 0, 64)),
        flag(arguments, 3, "sort_keys"));
}

Value firstOrLast(const Value& input, bool first) {
    const List items = input.items();
    if (items.empty()) {
        return Value::Undefined{"the first or last of nothing"};
    }
    return first ? items.front() : items.back();
}

Value reversed(const Value& input, const Arguments&) {
    List items = input.items();
    std::reverse(items.begin(), items.end());
    if (input.string() == nullptr) {
        return items;
    }
    return joined(items, {});
}

Value itemsOf(const Value& input, const Arguments&) {
    List pairs;
    if (input.isUndefined()) {
        return pairs;
    }
    if (input.dict() == nullptr) {
        throwUnsupported(fmt::format("items needs a dictionary, found {}", input.kind()));
    }
    for (const auto& [key, value] : *input.dict()) {
        pairs.emplace_back(List{key, value});
    }
    return pairs;
}

Value sortedPairs(const Value& input, const Arguments& arguments) {
    List pairs = itemsOf(input, arguments).items();
    std::sort(pairs.begin(), pairs.end(), [](const Value& a, const Value& b) {
        return *a.list()->front().string() < *b.list()->front().string();
    });
    return pairs;
}

Value sorted(const Value& input, const Arguments& arguments) {
    List items = input.items();
    const Value* path = arguments.find(2, "attribute");
    const auto keyOf = [&](const Value& item) {
        return path != nullptr ? attribute(item, path->toText()) : item;
    };
    std::stable_sort(items.begin(), items.end(),
                     [&](const Value& a, const Value& b) { return isLess(keyOf(a), keyOf(b)); });
    return flag(arguments, 0, "reverse") ? reversed(items, {}) : Value(items);
}

Value unique(const Value& input, const Arguments&) {
    List out;
    for (const Value& item : input.items()) {
        if (std::none_of(out.begin(), out.end(), [&](const Value& v) { return v == item; })) {
            out.push_back(item);
        }
    }
    return out;
}

Value mapped(const Value& input, const Arguments& arguments) {
    const Value* path = findKey(arguments.named, "attribute");
    const Value* otherwise = findKey(arguments.named, "default");
    if (path == nullptr && arguments.positional.empty()) {
        throwUnsupported("map needs a filter or an attribute");
    }
    List out;
    for (const Value& item : input.items()) {
        if (path == nullptr) {
            out.push_back(
                applyFilter(arguments.positional.front().toText(), item, after(arguments, 1)));
            continue;
        }
        Value found = attribute(item, path->toText());
        out.push_back(found.isUndefined() && otherwise != nullptr ? *otherwise : found);
    }
    return out;
}

/// select, reject, selectattr and rejectattr.
Value selected(const Value& input, const Arguments& arguments, bool byAttribute, bool wanted) {
    const std::size_t testIndex = byAttribute ? 1 : 0;
    if (byAttribute && arguments.positional.empty()) {
        throwUnsupported("selectattr and rejectattr need an attribute");
    }
    List out;
    for (const Value& item : input.items()) {
        const Value subject =
            byAttribute ? attribute(item, arguments.positional.front().toText()) : item;
        const bool holds = arguments.positional.size() > testIndex
                               ? applyTest(arguments.positional[testIndex].toText(), subject,
                                           after(arguments, testIndex + 1))
                               : subject.isTrue();
        if (holds == wanted) {
            out.push_back(item);
        }
    }
    return out;
}

Value indented(const Value& input, const Arguments& arguments) {
    const Value* width = arguments.find(0, "width");
    const std::string indent =
        width != nullptr && width->string() != nullptr
            ? *width->string()
            : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                              width == nullptr ? 4 : width->toInteger(), 0, 1000)),
                          ' ');
    const bool indentsBlank = flag(arguments, 2, "blank");
    const std::string whole = input.toText();
    std::string out;
    bool isFirst = true;
    for (std::size_t from = 0; from <= whole.size();) {
        const std::size_t end = std::min(whole.find('\n', from), whole.size());
        const bool isBlank = end == from;
        out += isFirst ? "" : "\n";
        if (isFirst ? flag(arguments, 1, "first") : (!isBlank || indentsBlank)) {
            out += indent;
        }
        out.append(whole, from, end - from);
        isFirst = false;
        from = end + 1;
    }
    return out;
}

Value integer(const Value& input, const Arguments& arguments) {
    const Value* otherwise = arguments.find(0, "default");
    if (input.isNumber()) {
        return static_cast<std::int64_t>(std::clamp(input.toDouble(), -9e18, 9e18));
    }
    std::int64_t out = 0;
    if (const auto* digits = input.string()) {
        const auto [stop, error] =
            std::from_chars(digits->data(), digits->data() + digits->size(), out);
        if (error == std::errc() && stop == digits->data() + digits->size()) {
            return out;
        }
    }
    return otherwise != nullptr ? *otherwise : Value(std::int64_t{0});
}

Value absolute(const Value& input, const Arguments&) {
    return input.isFloat() ? Value(std::abs(input.toDouble()))
                           : Value(std::int64_t{std::abs(input.toInteger())});
}

/// A filter that is a string's method of the same meaning.
template <const char* const& Method>
Value viaMethod(const Value& input, const Arguments& arguments) {
    return *callMethod(input.toText(), Method, arguments);
}

constexpr const char* kStrip = "strip";
constexpr const char* kUpper = "upper";
constexpr const char* kLower = "lower";
constexpr const char* kTitle = "title";
constexpr const char* kCapitalize = "capitalize";
constexpr const char* kReplace = "replace";

constexpr std::pair<std::string_view, Filter> kFilters[] = {
    {"trim", viaMethod<kStrip>},
    {"upper", viaMethod<kUpper>},
    {"lower", viaMethod<kLower>},
    {"title", viaMethod<kTitle>},
    {"capitalize", viaMethod<kCapitalize>},
    {"replace", viaMethod<kReplace>},
    {"length", [](const Value& v, const Arguments&) { return Value(v.length()); }},
    {"count", [](const Value& v, const Arguments&) { return Value(v.length()); }},
    {"join", joined},
    {"default", defaulted},
    {"d", defaulted},
    {"tojson", json},
    {"first", [](const Value& v, const Arguments&) { return firstOrLast(v, true); }},
    {"last", [](const Value& v, const Arguments&) { return firstOrLast(v, false); }},
    {"reverse", reversed},
    {"items", itemsOf},
    {"dictsort", sortedPairs},
    {"sort", sorted},
    {"unique", unique},
    {"map", mapped},
    {"select", [](const Value& v, const Arguments& a) { return selected(v, a, false, true); }},
    {"reject", [](const Value& v, const Arguments& a) { return selected(v, a, false, false); }},
    {"selectattr", [](const Value& v, const Arguments& a) { return selected(v, a, true, true); }},
    {"rejectattr", [](const Value& v, const Arguments& a) { return selected(v, a, true, false); }},
    {"indent", indented},
    {"int", integer},
    {"float", [](const Value& v, const Arguments&) { return Value(v.toDouble()); }},
    {"abs", absolute},
    {"string", [](const Value& v, const Arguments&) { return Value(v.toText()); }},
    {"list", [](const Value& v, const Arguments&) { return Value(v.items()); }},
    {"safe", [](const Value& v, const Arguments&) { return v; }},
};

using Test = bool (*)(const Value& input, const Value& other);

bool isSequence(const Value& v, const Value&) {
    return v.list() != nullptr || v.string() != nullptr || v.dict() != nullptr;
}

bool isDivisible(const Value& v, const Value& by) {
    if (by.toInteger() == 0) {
        throwUnsupported("a division by zero");
    }
    return v.toInteger() % by.toInteger() == 0;
}

bool isEqual(const Value& a, const Value& b) {
    return a == b;
}

constexpr std::pair<std::string_view, Test> kTests[] = {
    {"defined", [](const Value& v, const Value&) { return !v.isUndefined(); }},
    {"undefined", [](const Value& v, const Value&) { return v.isUndefined(); }},
    {"none", [](const Value& v, const Value&) { return v.isNone(); }},
    {"string", [](const Value& v, const Value&) { return v.isString(); }},
    {"mapping", [](const Value& v, const Value&) { return v.dict() != nullptr; }},
    {"iterable",
     [](const Value& v, const Value& o) { return v.isUndefined() || isSequence(v, o); }},
    {"sequence",
     [](const Value& v, const Value& o) { return v.isUndefined() || isSequence(v, o); }},
    {"number", [](const Value& v, const Value&) { return v.isNumber(); }},
    {"integer", [](const Value& v, const Value&) { return v.isInteger(); }},
    {"float", [](const Value& v, const Value&) { return v.isFloat(); }},
    {"boolean", [](const Value& v, const Value&) { return v.isBool(); }},
    {"true", [](const Value& v, const Value&) { return v.isBool() && v.isTrue(); }},
    {"false", [](const Value& v, const Value&) { return v.isBool() && !v.isTrue(); }},
    {"callable", [](const Value& v, const Value&) { return v.function() != nullptr; }},
    {"odd", [](const Value& v, const Value&) { return v.toInteger() % 2 != 0; }},
    {"even", [](const Value& v, const Value&) { return v.toInteger() % 2 == 0; }},
    {"divisibleby", isDivisible},
    {"eq", isEqual},
    {"equalto", isEqual},
    {"sameas", isEqual},
    {"ne", [](const Value& a, const Value& b) { return !(a == b); }},
    {"lt", isLess},
    {"gt", [](const Value& a, const Value& b) { return isLess(b, a); }},
    {"le", [](const Value& a, const Value& b) { return !isLess(b, a); }},
    {"ge", [](const Value& a, const Value& b) { return !isLess(a, b); }},
    {"in", [](const Value& a, const Value& b) { return contains(b, a); }},
};

}  // namespace

Value applyFilter(const std::string& name, const Value& input, const Arguments& arguments) {
    for (const auto& [known, filter] : kFilters) {
        if (known == name) {
            return filter(input, arguments);
        }
    }
    throwUnsupported(fmt::format("the filter \"{}\" is not supported", name));
}

bool applyTest(const std::string& name, const Value& input, const Arguments& arguments) {
    for (const auto& [known, test] : kTests) {
        if (known == name) {
            return test(input,
                        arguments.positional.empty() ? Value() : arguments.positional.front());
        }
    }
    throwUnsupported(fmt::format("the test \"{}\" is not supported", name));
}

}  // namespace moescope::text::jinja
