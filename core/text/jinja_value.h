// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace moescope::text::jinja {

class Value;
using List = std::vector<Value>;
/// Keys in the order they were set; templates' dictionaries are small.
using Dict = std::vector<std::pair<std::string, Value>>;

/// What a call hands over: f(1, x=2).
struct Arguments {
    List positional;
    Dict named;

    /// The argument at `index`, or called `name`, or nothing.
    [[nodiscard]] const Value* find(std::size_t index, std::string_view name) const;
};
using Function = std::function<Value(const Arguments&)>;

/// A value of the template language: Python's as far as chat templates use them. Lists and
/// dictionaries are shared and never change, except namespaces, whose members `set` assigns.
class Value {
public:
    struct Undefined {
        std::string name;  ///< what was looked for, for errors
    };
    struct None {};
    struct Namespace {
        std::shared_ptr<Dict> members;
    };

    Value() : m_data(Undefined{}) {}
    Value(Undefined undefined) : m_data(std::move(undefined)) {}
    Value(None none) : m_data(none) {}
    Value(bool value) : m_data(value) {}
    Value(std::int64_t value) : m_data(value) {}
    Value(double value) : m_data(value) {}
    Value(std::string value) : m_data(std::move(value)) {}
    Value(std::string_view value) : m_data(std::string(value)) {}
    Value(const char* value) : m_data(std::string(value)) {}
    Value(List value) : m_data(std::make_shared<const List>(std::move(value))) {}
    Value(Dict value) : m_data(std::make_shared<const Dict>(std::move(value))) {}
    Value(Namespace value) : m_data(std::move(value)) {}
    Value(Function value) : m_data(std::make_shared<const Function>(std::move(value))) {}

    [[nodiscard]] bool isUndefined() const { return std::holds_alternative<Undefined>(m_data); }
    [[nodiscard]] bool isNone() const { return std::holds_alternative<None>(m_data); }
    [[nodiscard]] bool isBool() const { return std::holds_alternative<bool>(m_data); }
    [[nodiscard]] bool isInteger() const { return std::holds_alternative<std::int64_t>(m_data); }
    [[nodiscard]] bool isFloat() const { return std::holds_alternative<double>(m_data); }
    /// Python counts True and False as numbers.
    [[nodiscard]] bool isNumber() const { return isBool() || isInteger() || isFloat(); }
    [[nodiscard]] bool isString() const { return std::holds_alternative<std::string>(m_data); }
    [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&m_data); }
    [[nodiscard]] const List* list() const;
    [[nodiscard]] const Dict* dict() const;  ///< of a dictionary or a namespace
    [[nodiscard]] Dict* namespaceMembers() const;
    [[nodiscard]] const Function* function() const;

    [[nodiscard]] bool isTrue() const;
    /// Throw Error(Unsupported) for values of another kind.
    [[nodiscard]] std::int64_t toInteger() const;
    [[nodiscard]] double toDouble() const;
    /// As `{{ value }}` prints it, Python's str().
    [[nodiscard]] std::string toText() const;
    /// Python's repr(), which lists print their members with.
    [[nodiscard]] std::string toRepresentation() const;
    /// "string", "list" ..., for errors.
    [[nodiscard]] std::string_view kind() const;
    /// What a loop over the value visits: members, keys, characters. Undefined visits nothing.
    [[nodiscard]] List items() const;
    [[nodiscard]] std::int64_t length() const;

private:
    std::variant<Undefined, None, bool, std::int64_t, double, std::string,
                 std::shared_ptr<const List>, std::shared_ptr<const Dict>, Namespace,
                 std::shared_ptr<const Function>>
        m_data;
};

[[nodiscard]] bool operator==(const Value& a, const Value& b);
/// Python's `<`; throws Error(Unsupported) for kinds that have no order.
[[nodiscard]] bool isLess(const Value& a, const Value& b);
/// Python's `in`.
[[nodiscard]] bool contains(const Value& container, const Value& member);

[[nodiscard]] const Value* findKey(const Dict& dict, std::string_view key);

/// Throws Error(Unsupported).
[[noreturn]] void throwUnsupported(const std::string& message);

/// Characters of valid UTF-8 as one string each.
[[nodiscard]] std::vector<std::string> charactersOf(std::string_view text);

}  // namespace moescope::text::jinja
