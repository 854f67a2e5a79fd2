// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/experiments/next_token_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Experts that every routed layer has: an index removed everywhere must be in all of them.
int commonExperts(const model::ModelSpec& model) {
    int common = 0;
    for (const model::LayerSpec& layer : model.layers) {
        if (layer.isRouted()) {
            common = common == 0 ? layer.moe->experts : std::min(common, layer.moe->experts);
        }
    }
    return common;
}

/// A layer must keep as many experts as it chooses.
bool canLose(const model::LayerSpec& layer) {
    return layer.isRouted() && layer.moe->experts > layer.moe->topK;
}

class ExpertRemoval final : public engine::BranchProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "expert_removal"; }

    [[nodiscard]] std::vector<engine::Intervention> branches(
        const model::ModelSpec& model) const override {
        std::vector<engine::Intervention> result;
        const bool everywhere =
            std::all_of(model.layers.begin(), model.layers.end(),
                        [](const auto& layer) { return !layer.isRouted() || canLose(layer); });
        for (int e = 0; everywhere && e < commonExperts(model); ++e) {
            engine::Intervention branch;
            branch.name = "without expert " + std::to_string(e);
            for (int l = 0; l < model.layerCount(); ++l) {
                addRemoval(model, l, e, branch);
            }
            result.push_back(std::move(branch));
        }
        for (int l = 0; l < model.layerCount(); ++l) {
            const model::LayerSpec& layer = model.layers[static_cast<std::size_t>(l)];
            for (int e = 0; canLose(layer) && e < layer.moe->experts; ++e) {
                engine::Intervention branch;
                branch.name = "layer " + std::to_string(l) + " without expert " + std::to_string(e);
                addRemoval(model, l, e, branch);
                result.push_back(std::move(branch));
            }
        }
        return result;
    }

    [[nodiscard]] std::uint64_t partBytes(const model::ModelSpec& model,
                                          std::uint64_t tokens) const override {
        return (branches(model).size() + 1) * NextTokenLoss::measures().size() * sizeof(double) +
               tokens * (sizeof(float) + sizeof(std::uint32_t));
    }

    void begin(const engine::ModelContext& model) override {
        m_branches = branches(model.model).size();
        m_losses.begin(model.corpus, m_branches);
    }

    void consume(const engine::LogitsBlock& block) override { m_losses.consume(block); }

    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) override {
        session::Part part;
        part.tokens = model.corpus.ids.size();
        part.quantities.push_back(m_losses.intact());
        addEverywhere(model.model, part);
        addSingle(model.model, part);
        session::Quantity losses;
        losses.name = "token_loss";
        losses.axes = {{"token", {}}};
        losses.longName = "loss of the token that follows, intact model";
        losses.units = "nat";
        const std::vector<float>& values = m_losses.tokenLoss();
        losses.values = NdArray::from<float>({values.size()}, values);
        part.quantities.push_back(std::move(losses));
        part.quantities.push_back(predicted());
        part.warnings = m_losses.warnings();
        return part;
    }

private:
    static void addRemoval(const model::ModelSpec& model, int layer, int expert,
                           engine::Intervention& branch) {
        const model::LayerSpec& spec = model.layers[static_cast<std::size_t>(layer)];
        if (spec.isRouted()) {
            branch.layers.emplace_back(
                LayerId{layer}, engine::LayerIntervention::without(spec.moe->experts, {expert}));
        }
    }

    [[nodiscard]] session::Quantity predicted() const {
        std::vector<std::uint32_t> ids;
        for (const std::int64_t id : m_losses.predicted()) {
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

    /// The branches with a change in every routed layer come first.
    void addEverywhere(const model::ModelSpec& model, session::Part& part) const {
        const std::size_t single = firstSingle(model);
        std::vector<std::string> labels;
        for (std::size_t b = 0; b < single; ++b) {
            labels.push_back(std::to_string(b));
        }
        if (single > 0) {
            part.quantities.push_back(
                m_losses.table("everywhere", {{"expert", std::move(labels)}},
                               "without the expert of this index in any layer", 0));
        }
    }

    void addSingle(const model::ModelSpec& model, session::Part& part) const {
        std::vector<std::string> layers;
        std::size_t widest = 0;
        for (int l = 0; l < model.layerCount(); ++l) {
            const model::LayerSpec& layer = model.layers[static_cast<std::size_t>(l)];
            if (canLose(layer)) {
                layers.push_back(std::to_string(l));
                widest = std::max(widest, static_cast<std::size_t>(layer.moe->experts));
            }
        }
        if (layers.empty()) {
            return;
        }
        const std::vector<std::string> measures = NextTokenLoss::measures();
        std::vector<double> values(layers.size() * widest * measures.size(), kNaN);
        std::size_t branch = firstSingle(model);
        for (std::size_t row = 0; row < layers.size(); ++row) {
            const auto& layer = model.layers[static_cast<std::size_t>(std::stoi(layers[row]))];
            for (int e = 0; e < layer.moe->experts; ++e, ++branch) {
                const NextTokenLoss::Means means = m_losses.mean(branch);
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

    /// Index of the first branch that changes one layer alone.
    [[nodiscard]] std::size_t firstSingle(const model::ModelSpec& model) const {
        std::size_t single = 0;
        for (const model::LayerSpec& layer : model.layers) {
            single += canLose(layer) ? static_cast<std::size_t>(layer.moe->experts) : 0;
        }
        return m_branches - single;
    }

    std::size_t m_branches = 0;
    NextTokenLoss m_losses;
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makeExpertRemoval() {
    return std::make_unique<ExpertRemoval>();
}

}  // namespace moescope::experiments
