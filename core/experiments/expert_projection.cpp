// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/expert_projection.h"

#include "core/experiments/gram.h"
#include "core/experiments/principal.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"
#include "core/experiments/tensor_host.h"
#include "core/numerics/clusters.h"

#include <array>
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

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t columns = layer.columns.size();
        return (kRoles.size() - 1) * sizeof(double) * columns * columns +
               gramStateBytes(columns, matrixElements(layer));
    }
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return kRoles.size() * layer.columns.size() *
               (kComponents * sizeof(float) + sizeof(std::int32_t));
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return static_cast<double>(kRoles.size()) *
               gramEffort(layer.columns.size(), matrixElements(layer));
    }

    void begin(const engine::LayerContext& layer) override {
        m_columns = layer.columns;
        m_labels.clear();
        m_grams = {};
        m_isFinite = {};
    }

    void consume(const engine::WeightBlock& block) override {
        if (block.columns.front() != 0) {
            return;  // another shape than the experts'
        }
        if (m_labels.empty()) {
            chooseRows(block.columns);
        }
        const auto count = static_cast<std::int64_t>(m_labels.size());
        const auto role = static_cast<std::size_t>(block.role);
        const at::Tensor x = block.weights.narrow(0, 0, count).flatten(1);
        if (!m_grams[role].defined()) {
            m_grams[role] = at::zeros({count, count}, x.options().dtype(at::kDouble));
            m_isFinite[role] = at::ones({count}, x.options().dtype(at::kBool));
        }
        // In float32: a wider type would make LibTorch copy the slab. Weights do not add up to
        // infinity, and NaN and infinity remain in any sum.
        m_isFinite[role].logical_and_(at::isfinite(x.sum(1)));
        addColumnwiseGram(m_grams[role], x, m_scaling == Scaling::Standardised);
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        Results results{std::vector<double>(kRoles.size() * kComponents),
                        std::vector<std::int32_t>(kRoles.size() * m_labels.size())};
        for (const engine::Role role : kRoles) {
            finish(role, part, results);
        }
        addSummaries(results, part);
        m_grams = {};
        return part;
    }

private:
    struct Results {
        std::vector<double> explained;       // [roles, components]
        std::vector<std::int32_t> clusters;  // [roles, N]
    };

    /// Experts and baselines; the shared experts are no point of the source's picture.
    void chooseRows(const std::vector<int>& columns) {
        for (const int column : columns) {
            const engine::Column& one = m_columns[static_cast<std::size_t>(column)];
            if (one.kind != engine::Column::Kind::Shared) {
                m_labels.push_back(one.label);
            }
        }
    }

    void finish(engine::Role role, session::Part& part, Results& results) const {
        const auto place = static_cast<std::size_t>(role);
        const std::size_t count = m_labels.size();
        std::vector<double> scores(count * kComponents, std::nan(""));
        std::vector<double> explained(kComponents, std::nan(""));
        if (m_isFinite[place].all().item<bool>()) {
            const Leading leading = leadingEigen(m_grams[place], kComponents);
            scores = scoresOf(leading);
            explained = leading.explained();
        } else {
            part.warnings.push_back(gapWarning(role));
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

    [[nodiscard]] std::string gapWarning(engine::Role role) const {
        const at::Tensor finite = toHost<bool>(m_isFinite[static_cast<std::size_t>(role)]);
        std::string list;
        for (std::size_t i = 0; i < m_labels.size(); ++i) {
            if (!elements<bool>(finite)[i]) {
                list += (list.empty() ? "" : ", ") + m_labels[i];
            }
        }
        return "NaN or infinity in " + roleName(role) + " weights of " + list +
               ": their projection is missing.";
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
    std::vector<engine::Column> m_columns;
    std::vector<std::string> m_labels;                 // of the rows
    std::array<at::Tensor, kRoles.size()> m_grams;     // [N, N] each
    std::array<at::Tensor, kRoles.size()> m_isFinite;  // bool [N] each
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeExpertProjection(const ExperimentOptions& options) {
    return std::make_unique<ExpertProjection>(options);
}

}  // namespace moescope::experiments
