// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/weight_similarity.h"

#include "core/base/error.h"
#include "core/experiments/gram.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"
#include "core/numerics/similarity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace moescope::experiments {
namespace {

class WeightSimilarity final : public engine::StaticProbe {
public:
    explicit WeightSimilarity(const ExperimentOptions& options)
        : m_relativeTo(options.relativeTo) {}

    [[nodiscard]] std::string_view experiment() const override { return "weight_similarity"; }

    void check(const engine::LayerContext& layer) const override {
        const int width = layer.columns.front().intermediateSize;
        const bool fits = std::any_of(layer.columns.begin(), layer.columns.end(),
                                      [&](const engine::Column& column) {
                                          return column.kind == engine::Column::Kind::Baseline &&
                                                 column.intermediateSize == width;
                                      });
        if (m_relativeTo == RelativeTo::Baseline && !fits) {
            throw Error(ErrorCode::BaselineMismatch,
                        "Weight similarity relative to a baseline needs a dense baseline whose "
                        "feed-forward is as wide as an expert, " +
                            std::to_string(width) + " neurons at layer " +
                            std::to_string(layer.layer.value) +
                            "; none that was given is. Give another --baseline, or use "
                            "--relative-to mean.");
        }
    }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t columns = layer.columns.size();
        return (2 * kRoles.size() - 1) * sizeof(double) * columns * columns +
               gramStateBytes(columns, matrixElements(layer));
    }

    /// Two Gram matrices per role.
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return 2.0 * static_cast<double>(kRoles.size()) *
               gramEffort(layer.columns.size(), matrixElements(layer));
    }

    void begin(const engine::LayerContext& layer) override {
        m_columns = layer.columns;
        m_experts = layer.experts();
        m_dimensions =
            static_cast<double>(layer.hiddenSize) * layer.columns.front().intermediateSize;
        m_grams = {};
    }

    void consume(const engine::WeightBlock& block) override {
        if (block.columns.front() != 0) {
            return;  // another shape than the experts'
        }
        RoleGrams& grams = m_grams[static_cast<std::size_t>(block.role)];
        const at::Tensor x = block.weights.flatten(1);
        if (!grams.all.defined()) {
            start(grams, block, x);
        }
        addGram(grams.all, x);
        addRelativeGram(grams.relative, x, m_experts, grams.reference);
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        for (const engine::Role role : kRoles) {
            finish(role, part);
        }
        part.quantities.push_back(randomDeviation(m_dimensions));
        m_grams = {};
        return part;
    }

private:
    struct RoleGrams {
        at::Tensor all;       // [C, C]
        at::Tensor relative;  // [E, E]
        std::vector<std::string> labels;
        std::int64_t reference = -1;
    };

    void start(RoleGrams& grams, const engine::WeightBlock& block, const at::Tensor& x) {
        const auto count = static_cast<std::int64_t>(block.columns.size());
        const auto options = x.options().dtype(at::kDouble);
        grams.all = at::zeros({count, count}, options);
        grams.relative = at::zeros({m_experts, m_experts}, options);
        for (const int column : block.columns) {
            grams.labels.push_back(m_columns[static_cast<std::size_t>(column)].label);
        }
        if (m_relativeTo != RelativeTo::Mean) {
            const auto baseline =
                std::find_if(block.columns.begin(), block.columns.end(), [&](int column) {
                    return m_columns[static_cast<std::size_t>(column)].kind ==
                           engine::Column::Kind::Baseline;
                });
            if (baseline != block.columns.end()) {
                grams.reference = baseline - block.columns.begin();
            }
        }
    }

    void finish(engine::Role role, session::Part& part) const {
        const RoleGrams& grams = m_grams[static_cast<std::size_t>(role)];
        const std::string name = roleName(role);
        const std::string against = grams.reference < 0
                                        ? "the experts' mean"
                                        : grams.labels[static_cast<std::size_t>(grams.reference)];
        const std::vector<std::string> experts(grams.labels.begin(),
                                               grams.labels.begin() + m_experts);
        addMatrix(name, "cosine of " + name + " matrices", grams.labels, grams.all, part);
        addMatrix(name + "_relative", "cosine of " + name + " matrices minus " + against, experts,
                  grams.relative, part);
        const std::string warning =
            notFiniteWarning(name + " weights", grams.labels, toVector(grams.all));
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
    }

    static void addMatrix(const std::string& name, const std::string& longName,
                          const std::vector<std::string>& labels, const at::Tensor& gram,
                          session::Part& part) {
        const std::vector<double> products = toVector(gram);
        std::vector<double> cosines(products.size());
        numerics::cosinesFromGram(products, labels.size(), cosines);
        part.quantities.push_back(similarityMatrix(name, longName, labels, cosines));
    }

    RelativeTo m_relativeTo;
    std::vector<engine::Column> m_columns;
    std::int64_t m_experts = 0;
    double m_dimensions = 1.0;  // of a flattened matrix
    std::array<RoleGrams, kRoles.size()> m_grams;
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeWeightSimilarity(const ExperimentOptions& options) {
    return std::make_unique<WeightSimilarity>(options);
}

}  // namespace moescope::experiments
