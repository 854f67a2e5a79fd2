// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What experiments that run the model again measure of each branch: how well it predicts the
/// text's next tokens within documents.
namespace moescope::experiments {

class NextTokenLoss {
public:
    /// Names of the measures, in the order of mean().
    [[nodiscard]] static std::vector<std::string> measures() {
        return {"loss", "accuracy", "changed"};
    }
    using Means = std::array<double, 3>;

    void begin(const text::TokenizedCorpus& corpus, std::size_t branches);
    void consume(const engine::LogitsBlock& block);

    /// Mean negative log-likelihood of the next tokens in nats, share of them that is predicted,
    /// share of predictions that are others than the intact model's. NaN where no token has a next
    /// one. Absent: the intact model.
    [[nodiscard]] Means mean(std::optional<std::size_t> branch) const;
    /// [T] of the intact model; NaN at the end of a document.
    [[nodiscard]] const std::vector<float>& tokenLoss() const { return m_tokenLoss; }
    /// [T] ids that the intact model predicts to follow.
    [[nodiscard]] const std::vector<std::int64_t>& predicted() const { return m_predicted; }
    /// The intact model's means [3], "intact".
    [[nodiscard]] session::Quantity intact() const;
    /// Means of branches [first, first + product of the axes' lengths), in row order, with
    /// "measure" as the last axis.
    [[nodiscard]] session::Quantity table(const std::string& name, std::vector<session::Axis> axes,
                                          const std::string& longName, std::size_t first) const;
    /// What makes the numbers doubtful; empty mostly.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    struct Sums {
        double loss = 0.0, correct = 0.0, changed = 0.0;
        std::uint64_t positions = 0;
    };
    std::vector<Sums> m_sums;               // the intact model's, then the branches'
    std::vector<std::int64_t> m_next;       // [T] true next id, -1 at the end of a document
    std::vector<std::int64_t> m_predicted;  // [T] by the intact model
    std::vector<float> m_tokenLoss;         // [T] of the intact model
};

}  // namespace moescope::experiments
