// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/neuron_projection.h"

#include "core/experiments/principal.h"
#include "core/experiments/roles.h"
#include "core/experiments/tensor_host.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::experiments {
namespace {

constexpr std::int64_t kComponents = 3;
/// Rows of one product: few enough that rounding stays small.
constexpr std::uint64_t kMostRows = 2048;
constexpr std::uint64_t kTileCopies = 3;

/// One role's neurons, whichever column they are of.
struct Cloud {
    const engine::LayerContext& layer;
    engine::Role role;
    const engine::NeuronSource& source;
    const std::function<void()>& poll;

    [[nodiscard]] static std::uint64_t tileRows(std::uint64_t tileBytes, std::uint64_t hiddenSize) {
        return std::clamp<std::uint64_t>(tileBytes / (4 * hiddenSize), 1, kMostRows);
    }

    template <typename Use>
    void forEachTile(const Use& use) const {
        const std::uint64_t step =
            tileRows(source.tileBytes(), static_cast<std::uint64_t>(layer.hiddenSize));
        for (std::size_t c = 0; c < layer.columns.size(); ++c) {
            const auto neurons = static_cast<std::uint64_t>(layer.columns[c].intermediateSize);
            for (std::uint64_t first = 0; first < neurons; first += step) {
                poll();
                use(source.read(static_cast<int>(c), role, first, std::min(step, neurons - first)));
            }
        }
    }
};

/// Mean and scatter of the columns.
struct Moments {
    double rows = 0.0;
    at::Tensor mean;     // float64 [d]
    at::Tensor scatter;  // float64 [d, d]: sum of (x - mean)(x - mean)^T
};

/// Around a provisional mean, so that far-off means cost no digits.
Moments momentsOf(const Cloud& cloud) {
    Moments moments;
    at::Tensor shift;
    at::Tensor sum;
    cloud.forEachTile([&](const at::Tensor& tile) {
        if (!shift.defined()) {
            shift = tile.mean(0, true);
            const auto options = tile.options().dtype(at::kDouble);
            sum = at::zeros({tile.size(1)}, options);
            moments.scatter = at::zeros({tile.size(1), tile.size(1)}, options);
        }
        const at::Tensor x = tile - shift;
        moments.rows += static_cast<double>(tile.size(0));
        sum += x.sum(0, false, at::kDouble);
        moments.scatter += x.t().mm(x);
    });
    const at::Tensor offset = sum / moments.rows;
    moments.scatter.addr_(offset, offset, 1.0, -moments.rows);
    moments.mean = shift.squeeze(0).to(at::kDouble) + offset;
    return moments;
}

class NeuronProjection final : public engine::UnitProbe {
public:
    explicit NeuronProjection(const ExperimentOptions& options)
        : m_isStandardised(options.projection == Scaling::Standardised) {}

    [[nodiscard]] std::string_view experiment() const override { return "neuron_projection"; }

    [[nodiscard]] std::vector<engine::WorkUnit> units(
        const engine::LayerContext& layer) const override {
        const double d = layer.hiddenSize;
        const double operations =
            2.0 * static_cast<double>(neuronsOf(layer)) * d * (d + kComponents) +
            leadingEigenOperations(layer.hiddenSize);
        std::vector<engine::WorkUnit> units;
        for (const engine::Role role : kRoles) {
            engine::WorkUnit unit;
            unit.key = roleName(role);
            unit.operations = operations;
            units.push_back(std::move(unit));
        }
        return units;
    }

    [[nodiscard]] std::uint64_t unitBytes(const engine::LayerContext& layer) const override {
        const auto d = static_cast<std::uint64_t>(layer.hiddenSize);
        constexpr std::uint64_t kKrylov = 2048;  // columns of leadingEigen()'s bases
        return d * d * (8 + 4) + d * std::min(d, kKrylov) * 8 +
               kTileCopies * Cloud::tileRows(engine::NeuronSource::kTileBytes, d) * d * 4 +
               2 * neuronsOf(layer) * kComponents * sizeof(double);
    }
    /// With what is kept of the units until the run has ended.
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return kRoles.size() * neuronsOf(layer) * kComponents * (sizeof(float) + sizeof(double));
    }

    [[nodiscard]] std::vector<double> compute(const engine::LayerContext& layer, std::size_t unit,
                                              const engine::NeuronSource& neurons,
                                              const std::function<void()>& poll) const override {
        const Cloud cloud{layer, kRoles[unit], neurons, poll};
        Moments moments = momentsOf(cloud);
        const std::uint64_t points = neuronsOf(layer);
        if (!at::isfinite(moments.scatter.diagonal()).all().item<bool>()) {
            std::vector<double> none(points * kComponents + kComponents,
                                     std::numeric_limits<double>::quiet_NaN());
            return none;
        }
        const at::Tensor scale = scaleOf(moments);
        moments.scatter.mul_(scale.unsqueeze(0)).mul_(scale.unsqueeze(1));
        const Leading leading = leadingEigen(moments.scatter, kComponents);
        moments.scatter.reset();
        const at::Tensor directions =
            leading.vectors.to(scale.device()).mul(scale.unsqueeze(1)).to(at::kFloat);
        std::vector<double> result = leading.explained();
        const std::vector<double> scores = scoresOf(cloud, moments.mean, directions);
        result.insert(result.end(), scores.begin(), scores.end());
        return result;
    }

    [[nodiscard]] session::Part assemble(
        const engine::LayerContext& layer,
        const std::vector<std::vector<double>>& results) const override {
        session::Part part;
        std::vector<double> explained;
        for (const engine::Role role : kRoles) {
            const std::vector<double>& result = results[static_cast<std::size_t>(role)];
            explained.insert(explained.end(), result.begin(), result.begin() + kComponents);
            part.quantities.push_back(pointsOf(role, std::span(result).subspan(kComponents)));
        }
        session::Quantity shares;
        shares.name = "explained";
        shares.axes = {roleAxis(), {"component", {}}};
        shares.longName = "share of the variance explained";
        shares.units = "1";
        shares.values = NdArray::from<double>({kRoles.size(), kComponents}, explained);
        part.quantities.push_back(std::move(shares));
        part.quantities.push_back(ownersOf(layer));
        return part;
    }

private:
    static std::uint64_t neuronsOf(const engine::LayerContext& layer) {
        std::uint64_t neurons = 0;
        for (const engine::Column& column : layer.columns) {
            neurons += static_cast<std::uint64_t>(column.intermediateSize);
        }
        return neurons;
    }

    /// What a column is multiplied with: 1, or one over its deviation; 0 for a constant one.
    [[nodiscard]] at::Tensor scaleOf(const Moments& moments) const {
        if (!m_isStandardised) {
            return at::ones_like(moments.mean);
        }
        const at::Tensor deviation =
            (moments.scatter.diagonal().clamp_min(0.0) / std::max(1.0, moments.rows - 1.0)).sqrt();
        // Below this, what a float32 product leaves of a constant column is rounding.
        constexpr double kConstant = 1e-7;
        const at::Tensor constant = deviation <= kConstant * moments.mean.abs();
        return deviation.reciprocal().masked_fill(constant, 0.0);
    }

    /// Row-major [N, components], signs fixed.
    static std::vector<double> scoresOf(const Cloud& cloud, const at::Tensor& mean,
                                        const at::Tensor& directions) {
        std::vector<at::Tensor> parts;
        const at::Tensor centre = mean.to(at::kFloat).unsqueeze(0);
        cloud.forEachTile([&](const at::Tensor& tile) {
            parts.push_back((tile - centre).mm(directions).to(at::kCPU));
        });
        const at::Tensor scores = toHost<double>(at::cat(parts));
        const std::vector<double> signs = signsOf(scores);
        const auto values = elements<double>(scores);
        std::vector<double> result(values.begin(), values.end());
        for (std::size_t i = 0; i < result.size(); ++i) {
            result[i] *= signs[i % static_cast<std::size_t>(kComponents)];
        }
        return result;
    }

    static session::Quantity pointsOf(engine::Role role, std::span<const double> scores) {
        session::Quantity quantity;
        quantity.name = roleName(role);
        quantity.axes = {{"neuron", {}}, {"component", {}}};
        quantity.longName = "principal components of " + quantity.name + " neurons";
        quantity.units = "1";
        quantity.values = NdArray(ElementType::F32, {scores.size() / kComponents, kComponents});
        std::transform(scores.begin(), scores.end(), quantity.values.values<float>().begin(),
                       [](double value) { return static_cast<float>(value); });
        return quantity;
    }

    static session::Quantity ownersOf(const engine::LayerContext& layer) {
        std::vector<std::uint32_t> counts;
        for (const engine::Column& column : layer.columns) {
            counts.push_back(static_cast<std::uint32_t>(column.intermediateSize));
        }
        session::Quantity quantity;
        quantity.name = "neurons";
        quantity.axes = {{"column", layer.labels()}};
        quantity.longName = "neurons of each column, in this order";
        quantity.units = "count";
        quantity.values = NdArray::from<std::uint32_t>({counts.size()}, counts);
        return quantity;
    }

    bool m_isStandardised;
};

}  // namespace

std::unique_ptr<engine::UnitProbe> makeNeuronProjection(const ExperimentOptions& options) {
    return std::make_unique<NeuronProjection>(options);
}

}  // namespace moescope::experiments
