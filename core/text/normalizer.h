// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/text/regex.h"
#include "core/text/unicode.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace moescope::text {

/// The `normalizer` of a tokenizer.json: steps applied to a stretch of text one after another.
/// Thread-safe once built.
class Normalizer {
public:
    /// Puts `text` before a stretch that is not empty.
    struct Prepend {
        std::string text;
    };
    /// Replaces every occurrence of a string, or every match of a pattern.
    struct Replace {
        std::variant<std::string, Regex> what;
        std::string with;
    };
    using Step = std::variant<Prepend, Replace, NormalForm>;

    void add(Step step) { m_steps.push_back(std::move(step)); }
    [[nodiscard]] bool isEmpty() const noexcept { return m_steps.empty(); }
    [[nodiscard]] std::string apply(std::string_view text) const;

private:
    std::vector<Step> m_steps;
};

}  // namespace moescope::text
