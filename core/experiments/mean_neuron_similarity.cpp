// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/mean_neuron_similarity.h"

#include "core/experiments/neuron_means.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"

namespace moescope::experiments {
namespace {

class MeanNeuronSimilarity final : public engine::StaticProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "mean_neuron_similarity"; }

    [[nodiscard]] engine::StaticNeeds needs() const override {
        engine::StaticNeeds needs;
        needs.neurons = true;
        return needs;
    }
    /// With temporaries of the means.
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return 2 * sizeof(double) * layer.columns.size() *
               static_cast<std::uint64_t>(layer.hiddenSize);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return neuronEffort(layer);
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_columns = layer.columns;
        m_dimensions = layer.hiddenSize;
    }

    [[nodiscard]] session::Part end(const engine::WeightSums& sums) override {
        session::Part part;
        for (const engine::Role role : kRoles) {
            finish(role, sums, part);
        }
        part.quantities.push_back(randomDeviation(m_dimensions));
        return part;
    }

private:
    void finish(engine::Role role, const engine::WeightSums& sums, session::Part& part) const {
        const std::vector<double> cosines = rowCosines(neuronMeans(sums, role, m_columns));
        const std::string name = roleName(role);
        part.quantities.push_back(
            similarityMatrix(name, "cosine of mean " + name + " neurons", m_labels, cosines));
        const std::string warning = notFiniteWarning(name + " weights", m_labels, cosines);
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
    }

    std::vector<std::string> m_labels;
    std::vector<engine::Column> m_columns;
    double m_dimensions = 1.0;
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeMeanNeuronSimilarity() {
    return std::make_unique<MeanNeuronSimilarity>();
}

}  // namespace moescope::experiments
