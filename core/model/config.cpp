// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/config.h"

#include "core/base/error.h"
#include "core/checkpoint/json_guard.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace moescope::model {

using Json = nlohmann::json;

struct Config::Impl {  // NOLINT(bugprone-exception-escape): json moves without throwing
    Json root;
    mutable std::set<std::string, std::less<>> read;

    /// The object that holds the language model's keys.
    [[nodiscard]] const Json& scope() const {
        const auto nested = root.find("text_config");
        return nested != root.end() && nested->is_object() ? *nested : root;
    }

    [[nodiscard]] const Json* find(std::string_view key) const {
        read.emplace(key);
        for (const Json* object : {&scope(), &root}) {
            const auto it = object->find(std::string(key));
            if (it != object->end()) {
                return &*it;
            }
        }
        return nullptr;
    }

    [[nodiscard]] const Json* value(std::string_view key) const {
        const Json* found = find(key);
        return found != nullptr && !found->is_null() ? found : nullptr;
    }
};

namespace {

std::string shortened(const Json& value) {
    constexpr std::size_t kMost = 80;
    std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

}  // namespace

Config::Config(std::string_view json, std::string where)
    : m_impl(std::make_unique<Impl>()), m_where(std::move(where)) {
    checkpoint::checkJson(json, m_where);
    m_impl->root = Json::parse(json);
}

Config::Config(std::unique_ptr<Impl> impl, std::string where)
    : m_impl(std::move(impl)), m_where(std::move(where)) {}

Config::~Config() = default;

void Config::refuse(std::string_view key, std::string_view expected) const {
    throw Error(ErrorCode::BadCheckpoint, fmt::format("{}: \"{}\" is {}; expected {}.", m_where,
                                                      key, valueText(key), expected));
}

std::string Config::valueText(std::string_view key) const {
    const Json* found = m_impl->find(key);
    return found != nullptr ? shortened(*found) : "absent";
}

bool Config::has(std::string_view key) const {
    return m_impl->value(key) != nullptr;
}

bool Config::isNull(std::string_view key) const {
    const Json* found = m_impl->find(key);
    return found != nullptr && found->is_null();
}

std::string Config::architecture() const {
    m_impl->read.emplace("architectures");
    const auto list = m_impl->root.find("architectures");
    const bool usable = list != m_impl->root.end() && list->is_array() && !list->empty() &&
                        list->front().is_string();
    return usable ? list->front().get<std::string>() : std::string();
}

std::string Config::modelType() const {
    return text({"model_type"}, "");
}

std::optional<int> Config::maybeInteger(Keys keys, IntegerRange range) const {
    std::optional<int> result;
    for (const auto key : keys) {
        const Json* value = m_impl->value(key);
        if (value == nullptr) {
            continue;
        }
        const auto expected = fmt::format("an integer from {} to {}", range.least, range.most);
        const bool fits = value->is_number_integer() &&
                          (!value->is_number_unsigned() ||
                           value->get<std::uint64_t>() <=
                               std::uint64_t{std::numeric_limits<std::int64_t>::max()});
        if (!fits || value->get<std::int64_t>() < range.least ||
            value->get<std::int64_t>() > range.most) {
            refuse(key, expected);
        }
        const int found = value->get<int>();
        if (result && *result != found) {
            refuse(key, fmt::format("{}, which another key for the same thing says", *result));
        }
        result = found;
    }
    return result;
}

int Config::integer(Keys keys, int fallback, IntegerRange range) const {
    return maybeInteger(keys, range).value_or(fallback);
}

std::optional<double> Config::maybeNumber(Keys keys) const {
    std::optional<double> result;
    for (const auto key : keys) {
        const Json* value = m_impl->value(key);
        if (value == nullptr) {
            continue;
        }
        if (!value->is_number() || !std::isfinite(value->get<double>())) {
            refuse(key, "a finite number");
        }
        const double found = value->get<double>();
        if (result && *result != found) {
            refuse(key, fmt::format("{}, which another key for the same thing says", *result));
        }
        result = found;
    }
    return result;
}

double Config::number(Keys keys, double fallback) const {
    return maybeNumber(keys).value_or(fallback);
}

double Config::positive(Keys keys, double fallback) const {
    const double result = number(keys, fallback);
    if (!(result > 0.0)) {
        for (const auto key : keys) {
            if (has(key)) {
                refuse(key, "a number above zero");
            }
        }
    }
    return result;
}

bool Config::flag(Keys keys, bool fallback) const {
    bool result = fallback;
    for (const auto key : keys) {
        const Json* value = m_impl->value(key);
        if (value == nullptr) {
            continue;
        }
        if (!value->is_boolean()) {
            refuse(key, "true or false");
        }
        result = value->get<bool>();
    }
    return result;
}

std::string Config::text(Keys keys, std::string_view fallback) const {
    for (const auto key : keys) {
        const Json* value = m_impl->value(key);
        if (value == nullptr) {
            continue;
        }
        if (!value->is_string()) {
            refuse(key, "a string");
        }
        return value->get<std::string>();
    }
    return std::string(fallback);
}

std::vector<double> Config::numbers(std::string_view key) const {
    const Json* value = m_impl->value(key);
    std::vector<double> result;
    if (value == nullptr) {
        return result;
    }
    if (value->is_number()) {
        return {value->get<double>()};
    }
    if (!value->is_array()) {
        refuse(key, "a number or a list of numbers");
    }
    for (const auto& element : *value) {
        if (!element.is_number()) {
            refuse(key, "a list of numbers");
        }
        result.push_back(element.get<double>());
    }
    return result;
}

int Config::uniformInteger(Keys keys, int fallback, IntegerRange range) const {
    for (const auto key : keys) {
        const Json* value = m_impl->value(key);
        if (value == nullptr || !value->is_array()) {
            continue;
        }
        const auto values = numbers(key);
        const bool fits = !values.empty() && values.front() == std::floor(values.front()) &&
                          values.front() >= static_cast<double>(range.least) &&
                          values.front() <= static_cast<double>(range.most) &&
                          std::count(values.begin(), values.end(), values.front()) ==
                              static_cast<std::ptrdiff_t>(values.size());
        if (!fits) {
            refuse(key, fmt::format("the same integer from {} to {} for every layer", range.least,
                                    range.most));
        }
        return static_cast<int>(values.front());
    }
    return integer(keys, fallback, range);
}

std::vector<std::string> Config::texts(std::string_view key) const {
    const Json* value = m_impl->value(key);
    std::vector<std::string> result;
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array()) {
        refuse(key, "a list of strings");
    }
    for (const auto& element : *value) {
        if (!element.is_string()) {
            refuse(key, "a list of strings");
        }
        result.push_back(element.get<std::string>());
    }
    return result;
}

std::unique_ptr<Config> Config::section(std::string_view key) const {
    const Json* value = m_impl->value(key);
    if (value == nullptr) {
        return nullptr;
    }
    if (!value->is_object()) {
        refuse(key, "an object");
    }
    auto impl = std::make_unique<Impl>();
    impl->root = *value;
    return std::unique_ptr<Config>(
        new Config(std::move(impl), fmt::format("{} ({})", m_where, key)));
}

std::vector<std::string> Config::unreadKeys() const {
    std::vector<std::string> result;
    const Json* root = &m_impl->root;
    for (const Json* object : {&m_impl->scope(), root}) {
        for (const auto& [key, value] : object->items()) {
            if (key != "text_config" && !m_impl->read.contains(key)) {
                result.push_back(key);
            }
        }
        if (object == root) {
            break;
        }
    }
    return result;
}

}  // namespace moescope::model
