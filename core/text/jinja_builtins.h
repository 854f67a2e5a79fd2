// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/jinja_value.h"

#include <optional>
#include <string>
#include <string_view>

namespace moescope::text::jinja {

/// `input | name(arguments)`. Throws Error(Unsupported) naming a filter that is not known.
[[nodiscard]] Value applyFilter(const std::string& name, const Value& input,
                                const Arguments& arguments);

/// `input is name(arguments)`. Throws Error(Unsupported) naming a test that is not known.
[[nodiscard]] bool applyTest(const std::string& name, const Value& input,
                             const Arguments& arguments);

/// `object.name(arguments)` for Python's methods of strings, dictionaries and lists; nothing when
/// the object has no such method.
[[nodiscard]] std::optional<Value> callMethod(const Value& object, const std::string& name,
                                              const Arguments& arguments);

/// `object.name`: a member, or an undefined value that remembers its name. Throws
/// Error(Unsupported) for a member of an undefined value.
[[nodiscard]] Value memberOf(const Value& object, std::string_view name);

/// `a symbol b` for + - * / // % and ~.
[[nodiscard]] Value combined(const std::string& symbol, const Value& a, const Value& b);
/// `a symbol b` for == != < <= > >= in and "not in".
[[nodiscard]] bool compared(const std::string& symbol, const Value& a, const Value& b);
/// object[key]: a member of a dictionary, list or string.
[[nodiscard]] Value itemOf(const Value& object, const Value& key);
/// Python's object[begin:end:step]; bounds that are none are the natural ones.
[[nodiscard]] Value sliceOf(const Value& object, const Value& begin, const Value& end,
                            const Value& step);

/// Python's json.dumps(value, ensure_ascii=False, indent=indent); negative: on one line.
[[nodiscard]] std::string toJson(const Value& value, int indent, bool sortKeys);

/// Longest text that a template may build.
inline constexpr std::size_t kMaxTextBytes = std::size_t{256} << 20U;
void requireTextSize(std::size_t bytes);

}  // namespace moescope::text::jinja
