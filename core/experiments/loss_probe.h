// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/branch_measures.h"

namespace moescope::experiments {

/// What experiments have in common that tell each branch by what the text loses: sums over tokens
/// as the logits pass, kept and put back branch by branch, and a part that begins with the intact
/// model's means, "intact". An experiment says its branches and what its tables are.
class LossProbe : public engine::BranchProbe {
public:
    /// A row of measures for each branch and for the intact model.
    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override;

    void begin(const engine::ModelContext& model,
               const std::vector<engine::Intervention>& passed) final;
    void consume(const engine::LogitsBlock& block) final { m_losses.consume(block); }
    [[nodiscard]] std::vector<double> result(std::size_t branch) const final {
        return m_losses.result(branch);
    }
    [[nodiscard]] std::size_t resultSize(std::size_t branch) const final {
        return m_losses.resultSize(branch);
    }
    void restore(std::size_t branch, std::span<const double> result) final {
        m_losses.restore(branch, result);
    }
    void recall(const model::ModelSpec& model, const engine::KeptPart& part,
                const Recalled& recalled) const final;
    [[nodiscard]] std::optional<session::Part> interim(const engine::ModelContext& model) final {
        return partOf(model, Progress::Running);
    }
    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) final {
        return partOf(model, Progress::Done);
    }

protected:
    enum class Progress { Running, Done };

    /// Before the first block; the losses have begun: which tokens are kept.
    virtual void prepare(const engine::ModelContext& model,
                         const std::vector<engine::Intervention>& passed, BranchMeasures& losses) {
        static_cast<void>(model);
        static_cast<void>(passed);
        static_cast<void>(losses);
    }
    /// What came of the branches; while they run, without what would be much to write.
    virtual void addTables(const engine::ModelContext& model, const BranchMeasures& losses,
                           Progress progress, session::Part& part) const = 0;

    /// What a part of this experiment holds, by the name of the branch.
    using NamedResult = std::function<void(const std::string& name, std::vector<double> result)>;
    virtual void recallByName(const model::ModelSpec& model, const engine::KeptPart& part,
                              const NamedResult& found) const {
        static_cast<void>(model);
        static_cast<void>(part);
        static_cast<void>(found);
    }
    /// The rows of a table of BranchMeasures::addTable(), whose branches are named by the labels of
    /// its first `nameAxes` axes, of which it has one more; with their tokens where
    /// TABLE_token_loss and TABLE_predicted hold them. Nothing where `needs` something that the
    /// part does not hold.
    struct RecallNeeds {
        bool choices = false, tokens = false;
    };
    static void recallTable(
        const engine::KeptPart& part, RecallNeeds needs, const std::string& table,
        std::size_t nameAxes,
        const std::function<std::string(const std::vector<std::string>& labels)>& name,
        const NamedResult& found);

private:
    [[nodiscard]] session::Part partOf(const engine::ModelContext& model, Progress progress) const;

    BranchMeasures m_losses;
};

}  // namespace moescope::experiments
