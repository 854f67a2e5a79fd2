// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/experiments/loss_probe.h"
#include "core/experiments/removal_branches.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class ExpertRemoval final : public LossProbe {
public:
    explicit ExpertRemoval(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "expert_removal"; }

    void check(const engine::LayerContext& layer) const override {
        static_cast<void>(branches(layer.model));  // throws for a set that cannot be removed
    }

    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        return removalBranches(m_options, model).branches;
    }

    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override {
        const RemovalBranches planned = removalBranches(m_options, model);
        return (planned.branches.size() + 1) * NextTokenLoss::measures().size() * sizeof(double) +
               (planned.sets.size() + 1) * tokens * sizeof(float) + tokens * sizeof(std::uint32_t);
    }

protected:
    void prepare(const engine::ModelContext& model, NextTokenLoss& losses) override {
        m_planned = removalBranches(m_options, model.model);
        for (std::size_t set = 0; set < m_planned.sets.size(); ++set) {
            losses.keepTokens(m_planned.ofSet(set));
        }
    }

    void addTables(const engine::ModelContext& model, const NextTokenLoss& losses,
                   session::Part& part) const override {
        addEverywhere(losses, part);
        addSingle(model.model, losses, part);
        addSets(losses, part);
        const std::vector<float>& values = losses.tokenLoss(std::nullopt);
        part.quantities.push_back({"token_loss",
                                   {{"token", {}}},
                                   "loss of the token that follows, intact model",
                                   "nat",
                                   NdArray::from<float>({values.size()}, values)});
        part.quantities.push_back(predicted(losses));
    }

private:
    [[nodiscard]] static session::Quantity predicted(const NextTokenLoss& losses) {
        std::vector<std::uint32_t> ids;
        ids.reserve(losses.predicted().size());
        for (const std::int64_t id : losses.predicted()) {
            ids.push_back(static_cast<std::uint32_t>(id));
        }
        session::Quantity quantity;
        quantity.name = "predicted";
        quantity.axes = {{"token", {}}};
        quantity.longName = "token id that the intact model predicts next";
        quantity.units = "1";
        quantity.values = NdArray::from<std::uint32_t>({ids.size()}, ids);
        return quantity;
    }

    void addEverywhere(const NextTokenLoss& losses, session::Part& part) const {
        std::vector<std::string> labels;
        for (std::size_t b = 0; b < m_planned.everywhere; ++b) {
            labels.push_back(std::to_string(b));
        }
        if (!labels.empty()) {
            part.quantities.push_back(losses.table("everywhere", {{"expert", std::move(labels)}},
                                                   "without the expert of this index in any layer",
                                                   0));
        }
    }

    /// The chosen sets, their controls, and what every token loses.
    void addSets(const NextTokenLoss& losses, session::Part& part) const {
        const std::size_t sets = m_planned.sets.size();
        if (sets == 0) {
            return;
        }
        const std::vector<std::string> measures = NextTokenLoss::measures();
        std::vector<double> chosen;
        std::vector<double> controls;
        std::vector<float> tokenLosses;
        const auto append = [&losses](std::vector<double>& to, std::size_t branch) {
            const NextTokenLoss::Means means = losses.mean(branch);
            to.insert(to.end(), means.begin(), means.end());
        };
        for (std::size_t set = 0; set < sets; ++set) {
            append(chosen, m_planned.ofSet(set));
            for (std::size_t c = 0; c < m_planned.controls; ++c) {
                append(controls, m_planned.ofControl(set, c));
            }
            const std::vector<float>& tokens = losses.tokenLoss(m_planned.ofSet(set));
            tokenLosses.insert(tokenLosses.end(), tokens.begin(), tokens.end());
        }
        const session::Axis axis{"set", m_planned.sets};
        const session::Axis measure{"measure", measures};
        part.quantities.push_back({"set",
                                   {axis, measure},
                                   "without the experts of this set",
                                   "1",
                                   NdArray::from<double>({sets, measures.size()}, chosen)});
        if (m_planned.controls > 0) {
            part.quantities.push_back(
                {"set_controls",
                 {axis, {"control", {}}, measure},
                 "without as many experts of the same layers, drawn by chance",
                 "1",
                 NdArray::from<double>({sets, m_planned.controls, measures.size()}, controls)});
        }
        part.quantities.push_back(
            {"set_token_loss",
             {axis, {"position", {}}},
             "loss of the token that follows, without the set's experts",
             "nat",
             NdArray::from<float>({sets, tokenLosses.size() / sets}, tokenLosses)});
    }

    void addSingle(const model::ModelSpec& model, const NextTokenLoss& losses,
                   session::Part& part) const {
        std::vector<std::string> layers;
        std::size_t widest = 0;
        for (int l = 0; l < model.layerCount(); ++l) {
            const model::LayerSpec& layer = model.layers[static_cast<std::size_t>(l)];
            if (canLose(layer)) {
                layers.push_back(std::to_string(l));
                widest = std::max(widest, static_cast<std::size_t>(layer.moe->experts));
            }
        }
        if (m_planned.single == 0) {
            return;
        }
        const std::vector<std::string> measures = NextTokenLoss::measures();
        std::vector<double> values(layers.size() * widest * measures.size(), kNaN);
        std::size_t branch = m_planned.everywhere;
        for (std::size_t row = 0; row < layers.size(); ++row) {
            const auto& layer = model.layers[static_cast<std::size_t>(std::stoi(layers[row]))];
            for (int e = 0; e < layer.moe->experts; ++e, ++branch) {
                const NextTokenLoss::Means means = losses.mean(branch);
                const std::size_t at = (row * widest + static_cast<std::size_t>(e)) * means.size();
                std::copy(means.begin(), means.end(),
                          values.begin() + static_cast<std::ptrdiff_t>(at));
            }
        }
        std::vector<std::string> experts;
        for (std::size_t e = 0; e < widest; ++e) {
            experts.push_back(std::to_string(e));
        }
        const Shape shape{layers.size(), widest, measures.size()};
        part.quantities.push_back(
            {"single",
             {{"at_layer", layers}, {"expert", experts}, {"measure", measures}},
             "without one expert in one layer",
             "1",
             NdArray::from<double>(shape, values)});
    }

    ExperimentOptions m_options;
    RemovalBranches m_planned;
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makeExpertRemoval(const ExperimentOptions& options) {
    return std::make_unique<ExpertRemoval>(options);
}

}  // namespace moescope::experiments
