// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/choice_scores.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What experiments that run the model again measure of each branch: how well it predicts the
/// text's next tokens within documents, and which multiple-choice questions it answers.
namespace moescope::experiments {

class BranchMeasures {
public:
    /// Names of the measures, in the order of mean().
    [[nodiscard]] static std::vector<std::string> measures() {
        return {"loss", "accuracy", "changed"};
    }
    using Means = std::array<double, 3>;

    /// The corpus passes, and behind it the choices where there are any.
    void begin(const engine::ModelContext& model, std::size_t branches);
    /// Keeps what a branch makes of single tokens; after begin().
    void keepTokens(std::size_t branch);
    void consume(const engine::LogitsBlock& block);
    /// What is known of a branch, and the same put back: BranchProbe::result() and restore().
    /// Single tokens may be missing in what is put back.
    [[nodiscard]] std::vector<double> result(std::size_t branch) const;
    [[nodiscard]] std::size_t resultSize(std::size_t branch) const;
    void restore(std::size_t branch, std::span<const double> result);
    /// What a branch makes of single tokens, [T] each.
    struct TokenRows {
        std::span<const float> loss;
        std::span<const text::TokenId> predicted;
    };
    /// A result() made of what a session keeps of a branch; `choices` and `tokens` may be empty.
    [[nodiscard]] static std::vector<double> resultOf(std::span<const double> means,
                                                      std::span<const double> choices,
                                                      const TokenRows& tokens);

    /// Mean negative log-likelihood of the next tokens in nats, share of them that is predicted,
    /// share of predictions that are others than the intact model's. NaN where no token has a next
    /// one. Absent: the intact model.
    [[nodiscard]] Means mean(std::optional<std::size_t> branch) const;
    /// Of the intact model (absent), or of a branch whose tokens are kept: loss of the token that
    /// follows, NaN at the end of a document, and the id that is predicted to follow.
    [[nodiscard]] TokenRows tokens(std::optional<std::size_t> branch) const;
    /// Whether tokens() of a branch are there: kept, and not missing in what was put back.
    [[nodiscard]] bool hasTokens(std::size_t branch) const { return m_kept.contains(branch); }
    [[nodiscard]] ChoiceScores::Accuracies choices(std::optional<std::size_t> branch) const;
    [[nodiscard]] const ChoiceScores& scores() const { return m_choices; }

    /// The intact model's means [3], "intact", and what it makes of the choices.
    void addIntact(session::Part& part) const;
    /// Branches of a table in row order; absent where it has no cell.
    using Cells = std::vector<std::optional<std::size_t>>;
    /// Means of the cells, "measure" the last axis, and beside them "NAME_choices" where there are
    /// choices, "choice_measure" the last axis. `axes` have labels, whose numbers multiply to that
    /// of the cells.
    void addTable(const std::string& name, const std::vector<session::Axis>& axes,
                  const std::string& longName, const Cells& cells, session::Part& part) const;
    /// The same of consecutive branches.
    void addTable(const std::string& name, const std::vector<session::Axis>& axes,
                  const std::string& longName, std::size_t first, session::Part& part) const;
    /// What makes the numbers doubtful; empty mostly.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    struct Sums {
        double loss = 0.0, correct = 0.0, changed = 0.0;
        std::uint64_t positions = 0;
    };
    std::vector<Sums> m_sums;  // the intact model's, then the branches'
    struct Restored {
        Means means{};
        ChoiceScores::Accuracies choices{};
    };
    [[nodiscard]] std::size_t leadSize() const;

    std::map<std::size_t, Restored> m_restored;  // of branches that were not passed again
    std::vector<std::int64_t> m_next;            // [T] true next id, -1 at the end of a document
    struct Tokens {
        std::vector<float> loss;               // [T]
        std::vector<text::TokenId> predicted;  // [T]
    };
    [[nodiscard]] Tokens noTokens() const;
    Tokens m_intact;
    std::map<std::size_t, Tokens> m_kept;  // of some branches
    ChoiceScores m_choices;
};

}  // namespace moescope::experiments
