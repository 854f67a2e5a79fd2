// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_removal.h"

#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What a branch makes of the text's true next tokens.
struct Outcome {
    double loss = 0.0, correct = 0.0, changed = 0.0;  ///< sums
    std::uint64_t positions = 0;
};

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
        return (branches(model).size() + 1) * measures().size() * sizeof(double) +
               tokens * sizeof(float);
    }

    void begin(const engine::ModelContext& model) override {
        m_branches = branches(model.model);
        m_outcomes.assign(m_branches.size() + 1, {});
        const std::size_t tokens = model.corpus.ids.size();
        m_next.assign(tokens, -1);
        for (std::size_t d = 0; d < model.corpus.documentCount(); ++d) {
            for (std::uint64_t t = model.corpus.offsets[d]; t + 1 < model.corpus.offsets[d + 1];
                 ++t) {
                m_next[t] = static_cast<std::int64_t>(model.corpus.ids[t + 1]);
            }
        }
        m_predicted.assign(tokens, -1);
        m_tokenLoss.assign(tokens, std::numeric_limits<float>::quiet_NaN());
    }

    void consume(const engine::LogitsBlock& block) override {
        const auto first = static_cast<std::size_t>(block.firstToken);
        const auto rows = static_cast<std::size_t>(block.logits.size(0));
        // The last token of a document has no next one: any id serves, it is not counted.
        std::vector<std::int64_t> wanted(
            m_next.begin() + static_cast<std::ptrdiff_t>(first),
            m_next.begin() + static_cast<std::ptrdiff_t>(first + rows));
        std::replace(wanted.begin(), wanted.end(), std::int64_t{-1}, std::int64_t{0});
        const at::Tensor ids =
            at::from_blob(wanted.data(), {static_cast<std::int64_t>(rows), 1}, at::kLong)
                .to(block.logits.device());
        const at::Tensor losses =
            toHost<float>(block.logits.logsumexp(1, true) - block.logits.gather(1, ids));
        const at::Tensor predictions = toHost<std::int64_t>(block.logits.argmax(1));
        Outcome& outcome = m_outcomes[block.branch ? *block.branch + 1 : 0];
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t token = first + row;
            const std::int64_t prediction = elements<std::int64_t>(predictions)[row];
            if (!block.branch) {
                m_predicted[token] = prediction;
            }
            if (m_next[token] < 0) {
                continue;
            }
            const float loss = elements<float>(losses)[row];
            ++outcome.positions;
            outcome.loss += static_cast<double>(loss);
            outcome.correct += prediction == m_next[token] ? 1.0 : 0.0;
            outcome.changed += prediction != m_predicted[token] ? 1.0 : 0.0;
            if (!block.branch) {
                m_tokenLoss[token] = loss;
            }
        }
    }

    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) override {
        session::Part part;
        part.tokens = model.corpus.ids.size();
        add("intact", {{"measure", measures()}}, "next-token loss in nats, accuracy",
            {meanOf(m_outcomes[0], &Outcome::loss), meanOf(m_outcomes[0], &Outcome::correct), 0.0},
            part);
        addEverywhere(model.model, part);
        addSingle(model.model, part);
        session::Quantity losses;
        losses.name = "token_loss";
        losses.axes = {{"token", {}}};
        losses.longName = "loss of the token that follows, intact model";
        losses.units = "nat";
        losses.values = NdArray::from<float>({m_tokenLoss.size()}, m_tokenLoss);
        part.quantities.push_back(std::move(losses));
        if (m_outcomes[0].positions == 0) {
            part.warnings.emplace_back(
                "no document has two tokens: there is no next token whose loss could be told");
        } else if (!std::isfinite(m_outcomes[0].loss)) {
            part.warnings.emplace_back(
                "the intact model's loss is not finite: no change of it can be told");
        }
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

    static std::vector<std::string> measures() { return {"loss", "accuracy", "changed"}; }

    static double meanOf(const Outcome& outcome, double Outcome::*sum) {
        return outcome.positions == 0 ? kNaN
                                      : outcome.*sum / static_cast<double>(outcome.positions);
    }

    static void put(const Outcome& outcome, double* to) {
        to[0] = meanOf(outcome, &Outcome::loss);
        to[1] = meanOf(outcome, &Outcome::correct);
        to[2] = meanOf(outcome, &Outcome::changed);
    }

    static void add(const std::string& name, const std::vector<session::Axis>& axes,
                    const std::string& longName, const std::vector<double>& values,
                    session::Part& part) {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = axes;
        quantity.longName = longName;
        quantity.units = "1";
        Shape shape;
        std::uint64_t rest = values.size();
        for (std::size_t i = 0; i + 1 < axes.size(); ++i) {
            shape.push_back(axes[i].labels.size());
            rest /= std::max<std::uint64_t>(axes[i].labels.size(), 1);
        }
        shape.push_back(rest);
        quantity.values = NdArray::from<double>(shape, values);
        part.quantities.push_back(std::move(quantity));
    }

    /// The branches with a change in every routed layer come first.
    void addEverywhere(const model::ModelSpec& model, session::Part& part) const {
        const std::size_t single = firstSingle(model);
        if (single == 0) {
            return;
        }
        std::vector<double> values(3 * single);
        std::vector<std::string> labels;
        for (std::size_t b = 0; b < single; ++b) {
            put(m_outcomes[b + 1], values.data() + 3 * b);
            labels.push_back(std::to_string(b));
        }
        add("everywhere", {{"expert", labels}, {"measure", measures()}},
            "without the expert of this index in any layer", values, part);
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
        std::vector<double> values(layers.size() * widest * 3, kNaN);
        std::size_t branch = firstSingle(model);
        for (std::size_t row = 0; row < layers.size(); ++row) {
            const auto& layer = model.layers[static_cast<std::size_t>(std::stoi(layers[row]))];
            for (int e = 0; e < layer.moe->experts; ++e, ++branch) {
                put(m_outcomes[branch + 1],
                    values.data() + (row * widest + static_cast<std::size_t>(e)) * 3);
            }
        }
        std::vector<std::string> experts;
        for (std::size_t e = 0; e < widest; ++e) {
            experts.push_back(std::to_string(e));
        }
        add("single", {{"at_layer", layers}, {"expert", experts}, {"measure", measures()}},
            "without one expert in one layer", values, part);
    }

    /// Index of the first branch that changes one layer alone.
    [[nodiscard]] std::size_t firstSingle(const model::ModelSpec& model) const {
        std::size_t single = 0;
        for (const model::LayerSpec& layer : model.layers) {
            single += canLose(layer) ? static_cast<std::size_t>(layer.moe->experts) : 0;
        }
        return m_branches.size() - single;
    }

    std::vector<engine::Intervention> m_branches;
    std::vector<Outcome> m_outcomes;        // the intact model's, then the branches'
    std::vector<std::int64_t> m_next;       // [T] true next id, -1 at the end of a document
    std::vector<std::int64_t> m_predicted;  // [T] by the intact model
    std::vector<float> m_tokenLoss;         // [T] of the intact model
};

}  // namespace

std::unique_ptr<engine::BranchProbe> makeExpertRemoval() {
    return std::make_unique<ExpertRemoval>();
}

}  // namespace moescope::experiments
