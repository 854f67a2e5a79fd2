// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/text/choices.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace moescope::experiments {

/// How many multiple-choice questions a branch answers. A choice's score is the sum of the
/// log-probabilities of its tokens behind the question's, or that over the number of its tokens;
/// the largest is the answer, ties to the lower index.
class ChoiceScores {
public:
    [[nodiscard]] static std::vector<std::string> measures() { return {"sum", "per_token"}; }
    using Accuracies = std::array<double, 2>;

    /// The choices' texts begin at token `first` of what passes.
    void begin(const text::TokenizedChoices& choices, std::uint64_t first, std::size_t branches);
    void consume(const engine::LogitsBlock& block);
    [[nodiscard]] bool empty() const { return m_choices.empty(); }

    /// [N] sums of log-probabilities, a choice after another; absent: of the intact model.
    [[nodiscard]] const std::vector<double>& sums(std::optional<std::size_t> branch) const {
        return m_sums.at(branch ? *branch + 1 : 0);
    }
    /// Shares of the questions that are answered rightly; NaN where there are none.
    [[nodiscard]] Accuracies accuracies(std::optional<std::size_t> branch) const;
    /// The intact model's sums, "choice_scores", and those per token, "choice_scores_per_token".
    [[nodiscard]] std::vector<session::Quantity> intact() const;

private:
    [[nodiscard]] std::vector<double> perToken(const std::vector<double>& sums) const;
    [[nodiscard]] double accuracy(const std::vector<double>& scores) const;

    text::TokenizedChoices m_choices;
    std::uint64_t m_first = 0;
    std::vector<std::int64_t> m_next;  ///< [tokens] id that follows and is scored; -1: none
    std::vector<std::uint32_t> m_textOf;
    std::vector<std::vector<double>> m_sums;  ///< the intact model's, then the branches'
};

}  // namespace moescope::experiments
