// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::model {

/// What an integer in a config may be, ends included.
struct IntegerRange {
    std::int64_t least = 1;
    std::int64_t most = std::numeric_limits<std::int32_t>::max();
};
/// Widths, vocabularies: generous, but products of a few stay far from overflow.
constexpr IntegerRange kSizeRange{1, 1 << 24};
constexpr IntegerRange kCountRange{1, 1 << 16};  ///< layers, heads, experts

/// A config.json as family adapters read it: typed look-ups by one of several key names, every
/// value checked for type and range. Remembers which keys were read, so that a switch nobody
/// understood can be refused instead of ignored. Where a multimodal wrapper keeps the language
/// model in `text_config`, keys are looked up there first.
///
/// All look-ups throw Error(BadCheckpoint) naming file, key and value. A key whose value is null
/// counts as absent. Several aliases that are present must agree. Thread-compatible.
class Config {
public:
    using Keys = std::initializer_list<std::string_view>;

    /// `where` names the file in messages.
    Config(std::string_view json, std::string where);
    ~Config();
    Config(const Config&) = delete;
    Config& operator=(const Config&) = delete;

    [[nodiscard]] const std::string& where() const { return m_where; }
    [[nodiscard]] std::string architecture() const;  ///< architectures[0], else empty
    [[nodiscard]] std::string modelType() const;     ///< else empty

    [[nodiscard]] bool has(std::string_view key) const;     ///< present and not null
    [[nodiscard]] bool isNull(std::string_view key) const;  ///< present and null
    [[nodiscard]] std::optional<int> maybeInteger(Keys keys, IntegerRange range = {}) const;
    [[nodiscard]] int integer(Keys keys, int fallback, IntegerRange range = {}) const;
    [[nodiscard]] std::optional<double> maybeNumber(Keys keys) const;  ///< finite
    [[nodiscard]] double number(Keys keys, double fallback) const;
    [[nodiscard]] double positive(Keys keys, double fallback) const;
    [[nodiscard]] bool flag(Keys keys, bool fallback) const;
    [[nodiscard]] std::string text(Keys keys, std::string_view fallback) const;
    /// One number or a list of them, such as eos_token_id.
    [[nodiscard]] std::vector<double> numbers(std::string_view key) const;
    /// An integer, or a list that gives each layer the same one.
    [[nodiscard]] int uniformInteger(Keys keys, int fallback, IntegerRange range = {}) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
    /// An object as a config of its own; nothing when absent. Its keys are counted on their own.
    [[nodiscard]] std::unique_ptr<Config> section(std::string_view key) const;

    /// The value as JSON text for a message, cut where it is long.
    [[nodiscard]] std::string valueText(std::string_view key) const;
    [[nodiscard]] std::vector<std::string> unreadKeys() const;
    [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

private:
    struct Impl;
    Config(std::unique_ptr<Impl> impl, std::string where);

    std::unique_ptr<Impl> m_impl;
    std::string m_where;
};

}  // namespace moescope::model
