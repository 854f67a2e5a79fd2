// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/mean_neuron_similarity.h"

#include "core/experiments/gram.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"
#include "core/numerics/similarity.h"

#include <array>

namespace moescope::experiments {
namespace {

class MeanNeuronSimilarity final : public engine::StaticProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "mean_neuron_similarity"; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return sizeof(double) * kRoles.size() * layer.columns.size() *
               static_cast<std::uint64_t>(layer.hiddenSize);
    }

    void begin(const engine::LayerContext& layer) override {
        m_columns = layer.columns;
        m_hiddenSize = layer.hiddenSize;
        m_sums = {};
    }

    void consume(const engine::WeightBlock& block) override {
        at::Tensor& sums = m_sums[static_cast<std::size_t>(block.role)];
        if (!sums.defined()) {
            sums = at::zeros({static_cast<std::int64_t>(m_columns.size()), m_hiddenSize},
                             block.weights.options().dtype(at::kDouble));
        }
        const at::Tensor blockSums = block.weights.sum(block.neuronAxis(), false, at::kDouble);
        for (std::size_t i = 0; i < block.columns.size(); ++i) {
            sums[block.columns[i]] += blockSums[static_cast<std::int64_t>(i)];
        }
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        for (const engine::Role role : kRoles) {
            finish(role, part);
        }
        m_sums = {};
        return part;
    }

private:
    void finish(engine::Role role, session::Part& part) const {
        const std::size_t count = m_columns.size();
        at::Tensor means = m_sums[static_cast<std::size_t>(role)].clone();
        std::vector<std::string> labels;
        for (std::size_t i = 0; i < count; ++i) {
            labels.push_back(m_columns[i].label);
            means[static_cast<std::int64_t>(i)].div_(m_columns[i].intermediateSize);
        }
        at::Tensor gram = at::zeros({means.size(0), means.size(0)}, means.options());
        addGram(gram, means);
        const std::vector<double> products = toVector(gram);
        std::vector<double> cosines(products.size());
        numerics::cosinesFromGram(products, count, cosines);
        const std::string name = roleName(role);
        part.quantities.push_back(
            similarityMatrix(name, "cosine of mean " + name + " neurons", labels, cosines));
        const std::string warning = notFiniteWarning(name + " weights", labels, products);
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
    }

    std::vector<engine::Column> m_columns;
    std::int64_t m_hiddenSize = 0;
    std::array<at::Tensor, kRoles.size()> m_sums;  // [N, d] each
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeMeanNeuronSimilarity() {
    return std::make_unique<MeanNeuronSimilarity>();
}

}  // namespace moescope::experiments
