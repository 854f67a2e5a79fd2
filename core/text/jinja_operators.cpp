// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/jinja_builtins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::text::jinja {
namespace {

std::int64_t checked(double exact, std::int64_t value) {
    if (std::abs(exact) > 9e18) {
        throwUnsupported("an integer is too large");
    }
    return value;
}

Value floored(const std::string& symbol, const Value& a, const Value& b) {
    if (b.toDouble() == 0) {
        throwUnsupported("a division by zero");
    }
    if (symbol == "/") {
        return a.toDouble() / b.toDouble();
    }
    if (a.isFloat() || b.isFloat()) {
        const double quotient = std::floor(a.toDouble() / b.toDouble());
        return symbol == "//" ? quotient : a.toDouble() - quotient * b.toDouble();
    }
    // Python rounds down, C++ towards zero; -1 apart because the least integer has no opposite.
    const std::int64_t divisor = b.toInteger();
    if (divisor == -1) {
        return symbol == "//" ? checked(-a.toDouble(), 0 - a.toInteger()) : std::int64_t{0};
    }
    const std::int64_t rest = a.toInteger() % divisor;
    const bool fix = rest != 0 && (rest < 0) != (divisor < 0);
    return symbol == "//" ? a.toInteger() / divisor - (fix ? 1 : 0) : rest + (fix ? divisor : 0);
}

Value calculated(const std::string& symbol, const Value& a, const Value& b) {
    if (symbol == "/" || symbol == "//" || symbol == "%") {
        return floored(symbol, a, b);
    }
    const double x = a.toDouble();
    const double y = b.toDouble();
    const double exact = symbol == "+" ? x + y : symbol == "-" ? x - y : x * y;
    if (a.isFloat() || b.isFloat()) {
        return exact;
    }
    const auto i = static_cast<std::uint64_t>(a.toInteger());
    const auto j = static_cast<std::uint64_t>(b.toInteger());
    const std::uint64_t wrapped = symbol == "+" ? i + j : symbol == "-" ? i - j : i * j;
    return checked(exact, static_cast<std::int64_t>(wrapped));
}

Value repeated(const std::string& text, std::int64_t times) {
    const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(times, 0, 1 << 28));
    requireTextSize(text.size() * count);
    std::string out;
    for (std::size_t i = 0; i < count && !text.empty(); ++i) {
        out += text;
    }
    return out;
}

}  // namespace

Value combined(const std::string& symbol, const Value& a, const Value& b) {
    if (symbol == "~") {
        requireTextSize(a.toText().size() + b.toText().size());
        return a.toText() + b.toText();
    }
    if (symbol == "+" && a.string() != nullptr && b.string() != nullptr) {
        requireTextSize(a.string()->size() + b.string()->size());
        return *a.string() + *b.string();
    }
    if (symbol == "+" && a.list() != nullptr && b.list() != nullptr) {
        List out = *a.list();
        out.insert(out.end(), b.list()->begin(), b.list()->end());
        requireTextSize(out.size() * sizeof(Value));
        return out;
    }
    if (symbol == "*" && a.string() != nullptr && b.isNumber()) {
        return repeated(*a.string(), b.toInteger());
    }
    if (!a.isNumber() || !b.isNumber()) {
        throwUnsupported(
            fmt::format("\"{}\" between {} and {} is not supported", symbol, a.kind(), b.kind()));
    }
    return calculated(symbol, a, b);
}

bool compared(const std::string& symbol, const Value& a, const Value& b) {
    if (symbol == "==" || symbol == "!=") {
        return (a == b) == (symbol == "==");
    }
    if (symbol == "in" || symbol == "not in") {
        return contains(b, a) == (symbol == "in");
    }
    if (symbol == "<" || symbol == ">=") {
        return isLess(a, b) == (symbol == "<");
    }
    return isLess(b, a) == (symbol == ">");
}

Value itemOf(const Value& object, const Value& key) {
    if (key.string() != nullptr) {
        return memberOf(object, *key.string());
    }
    if (object.isUndefined()) {
        throwUnsupported("a member of an undefined value is asked for");
    }
    if (object.dict() != nullptr) {
        return Value::Undefined{key.toText()};
    }
    const List items = object.items();
    const auto count = static_cast<std::int64_t>(items.size());
    const std::int64_t index = key.toInteger() < 0 ? key.toInteger() + count : key.toInteger();
    return index >= 0 && index < count ? items[static_cast<std::size_t>(index)]
                                       : Value(Value::Undefined{key.toText()});
}

Value sliceOf(const Value& object, const Value& begin, const Value& end, const Value& step) {
    const List items = object.items();
    const auto count = static_cast<std::int64_t>(items.size());
    const std::int64_t stride = step.isNone() ? 1 : step.toInteger();
    if (stride == 0 || std::abs(stride) > (std::int64_t{1} << 40U)) {
        throwUnsupported("the step of a slice is out of range");
    }
    const auto bound = [&](const Value& value, std::int64_t otherwise) {
        if (value.isNone()) {
            return otherwise;
        }
        const std::int64_t given =
            value.toInteger() < 0 ? value.toInteger() + count : value.toInteger();
        return stride > 0 ? std::clamp<std::int64_t>(given, 0, count)
                          : std::clamp<std::int64_t>(given, -1, count - 1);
    };
    std::int64_t at = bound(begin, stride > 0 ? 0 : count - 1);
    const std::int64_t stop = bound(end, stride > 0 ? count : -1);
    List out;
    for (; stride > 0 ? at < stop : at > stop; at += stride) {
        out.push_back(items[static_cast<std::size_t>(at)]);
    }
    return object.string() != nullptr ? applyFilter("join", out, {}) : Value(std::move(out));
}

}  // namespace moescope::text::jinja
