// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_projection.h"

#include "core/experiments/gram_effort.h"
#include "core/experiments/principal.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"
#include "core/experiments/tensor_host.h"
#include "core/numerics/clusters.h"

#include <algorithm>
#include <cmath>

namespace moescope::experiments {
namespace {

constexpr std::int64_t kComponents = 2;

class ExpertProjection final : public engine::StaticProbe {
public:
    explicit ExpertProjection(const ExperimentOptions& options)
        : m_scaling(options.projection),
          m_radius(options.outlierRadius),
          m_neighbours(options.outlierNeighbours) {}

    [[nodiscard]] std::string_view experiment() const override { return "expert_projection"; }

    [[nodiscard]] engine::StaticNeeds needs() const override {
        using Points = engine::StaticNeeds::Points;
        engine::StaticNeeds needs;
        needs.points = m_scaling == Scaling::Standardised ? Points::Standardised : Points::Centred;
        return needs;
    }
    /// Sums are the engine's.
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        static_cast<void>(layer);
        return 0;
    }
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return kRoles.size() * layer.columns.size() *
               (kComponents * sizeof(float) + sizeof(std::int32_t));
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return static_cast<double>(kRoles.size()) *
               gramEffort(layer.columns.size(), matrixElements(layer));
    }

    void begin(const engine::LayerContext& layer) override { m_allLabels = layer.labels(); }

    [[nodiscard]] session::Part end(const engine::WeightSums& sums) override {
        // Experts and baselines; the shared experts are no point of the source's picture.
        m_labels.clear();
        for (std::size_t i = 0; i < sums.points; ++i) {
            m_labels.push_back(m_allLabels[static_cast<std::size_t>(sums.columns[i])]);
        }
        session::Part part;
        Results results{std::vector<double>(kRoles.size() * kComponents),
                        std::vector<std::int32_t>(kRoles.size() * m_labels.size())};
        for (const engine::Role role : kRoles) {
            finish(role, sums, part, results);
        }
        addSummaries(results, part);
        return part;
    }

private:
    struct Results {
        std::vector<double> explained;       // [roles, components]
        std::vector<std::int32_t> clusters;  // [roles, N]
    };

    void finish(engine::Role role, const engine::WeightSums& sums, session::Part& part,
                Results& results) const {
        const auto place = static_cast<std::size_t>(role);
        const std::size_t count = m_labels.size();
        std::vector<double> scores(count * kComponents, std::nan(""));
        std::vector<double> explained(kComponents, std::nan(""));
        const std::string gap = gapWarning(role, sums);
        if (gap.empty()) {
            const auto size = static_cast<std::int64_t>(count);
            std::vector<double> gram = sums.of(role).points;
            const Leading leading =
                leadingEigen(at::from_blob(gram.data(), {size, size}, at::kDouble), kComponents);
            scores = scoresOf(leading);
            explained = leading.explained();
        } else {
            part.warnings.push_back(gap);
        }
        std::copy(explained.begin(), explained.end(),
                  results.explained.begin() + static_cast<std::ptrdiff_t>(place * kComponents));
        std::vector<numerics::Point2> points;
        for (std::size_t i = 0; i < count; ++i) {
            points.push_back({scores[i * kComponents], scores[i * kComponents + 1]});
        }
        const auto labels = numerics::dbscan(points, m_radius, m_neighbours);
        std::copy(labels.begin(), labels.end(),
                  results.clusters.begin() + static_cast<std::ptrdiff_t>(place * count));
        part.quantities.push_back(pointsOf(role, scores));
    }

    /// U S of the rows, from the eigenvectors of their Gram matrix U S^2 U^T.
    static std::vector<double> scoresOf(const Leading& leading) {
        const std::vector<double> signs = signsOf(leading.vectors);
        std::vector<double> scores;
        const auto vectors = elements<double>(leading.vectors);
        for (std::size_t i = 0; i < vectors.size(); ++i) {
            const std::size_t component = i % static_cast<std::size_t>(kComponents);
            scores.push_back(vectors[i] * signs[component] * std::sqrt(leading.values[component]));
        }
        return scores;
    }

    /// Empty where all is finite, sums of squares as well.
    [[nodiscard]] std::string gapWarning(engine::Role role, const engine::WeightSums& sums) const {
        const engine::WeightSums::OfRole& own = sums.of(role);
        std::string list;
        for (std::size_t i = 0; i < m_labels.size(); ++i) {
            if (!own.isFinite[static_cast<std::size_t>(sums.columns[i])]) {
                list += (list.empty() ? "" : ", ") + m_labels[i];
            }
        }
        if (!list.empty()) {
            return "NaN or infinity in " + roleName(role) + " weights of " + list +
                   ": their projection is missing.";
        }
        const bool isFinite = std::all_of(own.points.begin(), own.points.end(),
                                          [](double value) { return std::isfinite(value); });
        return isFinite ? std::string()
                        : "The squares of " + roleName(role) +
                              " weights are beyond float32: their projection is missing.";
    }

    [[nodiscard]] session::Quantity pointsOf(engine::Role role,
                                             const std::vector<double>& scores) const {
        session::Quantity quantity;
        quantity.name = roleName(role);
        quantity.axes = {{"point", m_labels}, {"component", {}}};
        quantity.longName = "principal components of " + quantity.name + " matrices";
        quantity.units = "1";
        quantity.values = NdArray(ElementType::F32, {m_labels.size(), kComponents});
        std::transform(scores.begin(), scores.end(), quantity.values.values<float>().begin(),
                       [](double value) { return static_cast<float>(value); });
        return quantity;
    }

    void addSummaries(const Results& results, session::Part& part) const {
        session::Quantity explained;
        explained.name = "explained";
        explained.axes = {roleAxis(), {"component", {}}};
        explained.longName = "share of the variance explained";
        explained.units = "1";
        explained.values = NdArray::from<double>({kRoles.size(), kComponents}, results.explained);
        part.quantities.push_back(std::move(explained));
        session::Quantity clusters;
        clusters.name = "cluster";
        clusters.axes = {roleAxis(), {"point", m_labels}};
        clusters.longName = "cluster of the point, -1: outlier";
        clusters.units = "1";
        clusters.values =
            NdArray::from<std::int32_t>({kRoles.size(), m_labels.size()}, results.clusters);
        part.quantities.push_back(std::move(clusters));
    }

    Scaling m_scaling;
    double m_radius;
    std::uint64_t m_neighbours;
    std::vector<std::string> m_allLabels;  // of the layer's columns
    std::vector<std::string> m_labels;     // of the points
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeExpertProjection(const ExperimentOptions& options) {
    return std::make_unique<ExpertProjection>(options);
}

}  // namespace moescope::experiments
