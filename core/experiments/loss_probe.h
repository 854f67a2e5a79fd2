// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/next_token_loss.h"

namespace moescope::experiments {

/// What experiments have in common that tell each branch by what the text loses: sums over tokens
/// as the logits pass, kept and put back branch by branch, and a part that begins with the intact
/// model's means, "intact". An experiment says its branches and what its tables are.
class LossProbe : public engine::BranchProbe {
public:
    /// A row of measures for each branch and for the intact model.
    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override;

    void begin(const engine::ModelContext& model) final;
    void consume(const engine::LogitsBlock& block) final { m_losses.consume(block); }
    [[nodiscard]] std::vector<double> result(std::size_t branch) const final {
        return m_losses.result(branch);
    }
    void restore(std::size_t branch, std::span<const double> result) final {
        m_losses.restore(branch, result);
    }
    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource& stored) final;

protected:
    /// Before the first block; the losses have begun: which tokens are kept.
    virtual void prepare(const engine::ModelContext& model, NextTokenLoss& losses) {
        static_cast<void>(model);
        static_cast<void>(losses);
    }
    /// What came of the branches.
    virtual void addTables(const engine::ModelContext& model, const NextTokenLoss& losses,
                           session::Part& part) const = 0;

private:
    NextTokenLoss m_losses;
};

}  // namespace moescope::experiments
