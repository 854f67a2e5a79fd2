// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/router_similarity.h"

#include "core/experiments/gram_effort.h"
#include "core/experiments/neuron_means.h"
#include "core/experiments/quantities.h"
#include "core/experiments/roles.h"
#include "core/numerics/regression.h"
#include "core/numerics/similarity.h"
#include "core/numerics/summary.h"

#include <array>
#include <cmath>

namespace moescope::experiments {
namespace {

/// What is kept of a regression, in this order.
const std::vector<std::string> kStatistics{"slope", "intercept", "r", "r2", "p", "stderr"};
constexpr std::size_t kPlaceOfR2 = 3;

/// The strictly lower triangle, row by row.
std::vector<double> lowerTriangle(std::span<const double> matrix, std::size_t n) {
    std::vector<double> values;
    values.reserve(n * (n - 1) / 2);
    for (std::size_t row = 1; row < n; ++row) {
        const auto entries = matrix.subspan(row * n, row);
        values.insert(values.end(), entries.begin(), entries.end());
    }
    return values;
}

class RouterSimilarity final : public engine::StaticProbe {
public:
    explicit RouterSimilarity(const ExperimentOptions& options)
        : m_byMatrix(options.routerAgainst == WeightMeasure::Matrix) {}

    [[nodiscard]] std::string_view experiment() const override { return "router_similarity"; }
    [[nodiscard]] engine::StaticNeeds needs() const override {
        engine::StaticNeeds needs;
        needs.router = true;
        (m_byMatrix ? needs.products : needs.neurons) = true;
        return needs;
    }
    /// With temporaries of the means.
    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return 2 * sizeof(double) * layer.columns.size() *
               static_cast<std::uint64_t>(layer.hiddenSize);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return m_byMatrix ? static_cast<double>(kRoles.size()) *
                                gramEffort(static_cast<std::uint64_t>(layer.experts()),
                                           matrixElements(layer))
                          : neuronEffort(layer);
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_labels.resize(static_cast<std::size_t>(layer.experts()));
        m_columns = layer.columns;
        m_router.clear();
    }

    void consumeRouter(const at::Tensor& router) override { m_router = rowCosines(router); }

    [[nodiscard]] session::Part end(const engine::WeightSums& sums) override {
        session::Part part;
        part.quantities.push_back(
            similarityMatrix("router", "cosine of router rows", m_labels, m_router));
        const std::string warning = notFiniteWarning("router rows", m_labels, m_router);
        if (!warning.empty()) {
            part.warnings.push_back(warning);
        }
        part.quantities.push_back(regressions(sums, part.warnings));
        return part;
    }

    [[nodiscard]] bool hasModelPart() const override { return true; }

    [[nodiscard]] std::optional<session::Part> finishModel(
        const engine::ModelContext&, const engine::PartSource& stored) override {
        const std::vector<LayerId> layers = stored.layers();
        if (layers.empty()) {
            return std::nullopt;
        }
        std::array<std::vector<double>, kRoles.size()> squares;
        for (const LayerId layer : layers) {
            const NdArray values = stored.read(layer, "regression");
            for (std::size_t role = 0; role < kRoles.size(); ++role) {
                const double r2 = values.at(role * kStatistics.size() + kPlaceOfR2);
                if (std::isfinite(r2)) {
                    squares[role].push_back(r2);
                }
            }
        }
        session::Quantity quantity;
        quantity.name = "mean_r2";
        quantity.axes = {roleAxis()};
        quantity.longName = "mean of r squared over layers";
        quantity.units = "1";
        quantity.values = NdArray(ElementType::F64, {kRoles.size()});
        for (std::size_t role = 0; role < kRoles.size(); ++role) {
            quantity.values.values<double>()[role] = numerics::mean(squares[role]);
        }
        session::Part part;
        part.quantities.push_back(std::move(quantity));
        return part;
    }

private:
    [[nodiscard]] std::vector<double> weightCosines(engine::Role role,
                                                    const engine::WeightSums& sums) const {
        const std::size_t experts = m_labels.size();
        if (!m_byMatrix) {
            const at::Tensor means = neuronMeans(sums, role, m_columns);
            return rowCosines(means.narrow(0, 0, static_cast<std::int64_t>(experts)));
        }
        // The experts come first among what is compared.
        const std::vector<double>& all = sums.of(role).products;
        const std::size_t width = sums.columns.size();
        std::vector<double> products;
        products.reserve(experts * experts);
        for (std::size_t row = 0; row < experts; ++row) {
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * width);
            products.insert(products.end(), begin, begin + static_cast<std::ptrdiff_t>(experts));
        }
        std::vector<double> cosines(products.size());
        numerics::cosinesFromGram(products, experts, cosines);
        return cosines;
    }

    [[nodiscard]] session::Quantity regressions(const engine::WeightSums& sums,
                                                std::vector<std::string>& warnings) const {
        const std::size_t experts = m_labels.size();
        const std::vector<double> y = lowerTriangle(m_router, experts);
        session::Quantity quantity;
        quantity.name = "regression";
        quantity.axes = {roleAxis(), {"statistic", kStatistics}};
        quantity.longName = std::string("router similarity (Y) on ") +
                            (m_byMatrix ? "weight similarity" : "mean neuron similarity") + " (X)";
        quantity.units = "1";
        quantity.values = NdArray(ElementType::F64, {kRoles.size(), kStatistics.size()});
        auto values = quantity.values.values<double>();
        for (const engine::Role role : kRoles) {
            const std::vector<double> cosines = weightCosines(role, sums);
            const std::string gap =
                notFiniteWarning(roleName(role) + " weights", m_labels, cosines);
            if (!gap.empty()) {
                warnings.push_back(gap + " So is the regression on them.");
            }
            const auto line = numerics::linearRegression(lowerTriangle(cosines, experts), y);
            const std::array row{line.slope, line.intercept, line.r,
                                 line.r2(),  line.p,         line.standardError};
            std::copy(row.begin(), row.end(),
                      values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(role) *
                                                                   kStatistics.size()));
        }
        return quantity;
    }

    bool m_byMatrix;
    std::vector<std::string> m_labels;  // of the experts
    std::vector<double> m_router;       // [E, E]
    std::vector<engine::Column> m_columns;
};

}  // namespace

std::unique_ptr<engine::StaticProbe> makeRouterSimilarity(const ExperimentOptions& options) {
    return std::make_unique<RouterSimilarity>(options);
}

}  // namespace moescope::experiments
