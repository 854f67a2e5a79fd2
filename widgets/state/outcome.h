// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <utility>
#include <variant>

namespace moescope::widgets {

/// What a person is told when a job failed. `message` is a complete sentence with its remedy;
/// `code` is the stable word of moescope::ErrorCode.
struct Problem {
    QString code;
    QString message;
    QString details;  ///< may be empty: the engine's last lines, a stack of causes
    bool operator==(const Problem&) const = default;
};

/// A job's result: the value or why there is none. A cancelled job delivers nothing at all.
template <typename T>
class [[nodiscard]] Outcome {
public:
    Outcome(T value) : m_content(std::move(value)) {}
    Outcome(Problem problem) : m_content(std::move(problem)) {}
    [[nodiscard]] bool ok() const { return std::holds_alternative<T>(m_content); }
    [[nodiscard]] const T& value() const { return std::get<T>(m_content); }
    [[nodiscard]] const Problem& problem() const { return std::get<Problem>(m_content); }

private:
    std::variant<T, Problem> m_content;
};

}  // namespace moescope::widgets
