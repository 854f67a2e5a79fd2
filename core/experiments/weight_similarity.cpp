// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/weight_similarity.h"

#include "core/base/error.h"
#include "core/experiments/gram_effort.h"
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

    [[nodiscard]] engine::StaticNeeds needs() const override {
        using Reference = engine::StaticNeeds::Reference;
        engine::StaticNeeds needs;
        needs.products = true;
        needs.relativeTo =
            m_relativeTo == RelativeTo::Mean ? Reference::Mean : Reference::BaselineOrMean;
        return needs;
    }
    /// Sums are the engine's.
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        static_cast<void>(layer);
        return 0;
    }
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        constexpr double kMeasures = 2.0;  // plain and relative
        return kMeasures * static_cast<double>(kRoles.size()) *
               gramEffort(layer.columns.size(), matrixElements(layer));
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_experts = layer.experts();
        m_dimensions =
            static_cast<double>(layer.hiddenSize) * layer.columns.front().intermediateSize;
    }

    [[nodiscard]] session::Part end(const engine::WeightSums& sums) override {
        session::Part part;
        std::vector<std::string> labels;
        labels.reserve(sums.columns.size());
        for (const int column : sums.columns) {
            labels.push_back(m_labels[static_cast<std::size_t>(column)]);
        }
        for (const engine::Role role : kRoles) {
            finish(role, sums, labels, part);
        }
        part.quantities.push_back(randomDeviation(m_dimensions));
        return part;
    }

private:
    void finish(engine::Role role, const engine::WeightSums& sums,
                const std::vector<std::string>& labels, session::Part& part) const {
        const std::string name = roleName(role);
        const std::string against = sums.reference < 0
                                        ? "the experts' mean"
                                        : labels[static_cast<std::size_t>(sums.reference)];
        const std::vector<std::string> experts(labels.begin(), labels.begin() + m_experts);
        const engine::WeightSums::OfRole& own = sums.of(role);
        addMatrix(name, "cosine of " + name + " matrices", labels, own.products, part);
        addMatrix(name + "_relative", "cosine of " + name + " matrices minus " + against, experts,
                  own.relative, part);
        const std::string warning = notFiniteWarning(name + " weights", labels, own.products);
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
    }

    static void addMatrix(const std::string& name, const std::string& longName,
                          const std::vector<std::string>& labels,
                          const std::vector<double>& products, session::Part& part) {
        std::vector<double> cosines(products.size());
        numerics::cosinesFromGram(products, labels.size(), cosines);
        part.quantities.push_back(similarityMatrix(name, longName, labels, cosines));
    }

    RelativeTo m_relativeTo;
    std::vector<std::string> m_labels;  // of all columns
    std::int64_t m_experts = 0;
    double m_dimensions = 1.0;  // of a flattened matrix
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeWeightSimilarity(const ExperimentOptions& options) {
    return std::make_unique<WeightSimilarity>(options);
}

}  // namespace moescope::experiments
