// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/mean_neuron_similarity.h"

#include "core/experiments/neuron_sums.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"

namespace moescope::experiments {
namespace {

class MeanNeuronSimilarity final : public engine::StaticProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "mean_neuron_similarity"; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return NeuronSums::bytes(layer);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return NeuronSums::effort(layer);
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_dimensions = layer.hiddenSize;
        m_sums.begin(layer);
    }

    void consume(const engine::WeightBlock& block) override { m_sums.add(block); }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        for (const engine::Role role : kRoles) {
            finish(role, part);
        }
        part.quantities.push_back(randomDeviation(m_dimensions));
        m_sums.clear();
        return part;
    }

private:
    void finish(engine::Role role, session::Part& part) const {
        const at::Tensor means = m_sums.means(role);
        const std::vector<double> cosines = rowCosines(means);
        const std::string name = roleName(role);
        part.quantities.push_back(
            similarityMatrix(name, "cosine of mean " + name + " neurons", m_labels, cosines));
        const std::string warning = notFiniteWarning(name + " weights", m_labels, cosines);
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
    }

    std::vector<std::string> m_labels;
    NeuronSums m_sums;
    double m_dimensions = 1.0;
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeMeanNeuronSimilarity() {
    return std::make_unique<MeanNeuronSimilarity>();
}

}  // namespace moescope::experiments
