// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/intermediate_states.h"

#include "core/experiments/counted_tokens.h"
#include "core/experiments/kept_tokens.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Where a column's kept rows lie: in the map that the experts share, or in one of its own.
struct Place {
    std::size_t map = 0;
    std::size_t row = 0;  ///< within the map's second axis
};

struct Map {
    std::vector<std::string> labels;  ///< of its rows
    std::uint64_t width = 0;          ///< neurons
    std::vector<float> values;        ///< [kept, labels, width]
};

class IntermediateStates final : public engine::DynamicProbe {
public:
    explicit IntermediateStates(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "intermediate_states"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.activations = true}; }

    void check(const engine::LayerContext& layer) const override {
        static_cast<void>(kept(layer.model, layer.corpus));  // throws where the text lacks a token
    }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return resultBytes(layer) + 2 * sizeof(double) * layer.columns.size();
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        std::uint64_t neurons = 0;
        for (const engine::Column& column : layer.columns) {
            neurons += static_cast<std::uint64_t>(column.intermediateSize);
        }
        const std::uint64_t tokens = kept(layer.model, layer.corpus).size();
        return sizeof(float) * (tokens * neurons + 2 * layer.columns.size());
    }

    [[nodiscard]] std::string keptNote(const model::ModelSpec& model,
                                       const text::TokenizedCorpus& corpus) const override {
        return experiments::keptNote(m_options, experiments::stateBytes(m_options, model),
                                     m_options.keptStateCount, corpus);
    }

    [[nodiscard]] std::uint64_t scratchBytesPerToken(
        const engine::LayerContext& layer) const override {
        int widest = 0;
        for (const engine::Column& column : layer.columns) {
            widest = std::max(widest, column.intermediateSize);
        }
        // One column at a time: the magnitudes, where they are finite, and what is summed.
        return 4 * sizeof(float) * static_cast<std::uint64_t>(widest);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        double neurons = 0.0;
        for (const engine::Column& column : layer.columns) {
            neurons += column.intermediateSize;
        }
        return {.elements = 12.0 * static_cast<double>(layer.tokens()) * neurons};
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_counted.emplace(layer.corpus, m_options.skipFirstToken);
        m_kept = kept(layer.model, layer.corpus);
        m_above.assign(m_labels.size(), 0.0);
        m_magnitudes.assign(m_labels.size(), 0.0);
        m_values.assign(m_labels.size(), 0.0);
        m_notFinite = 0;
        arrange(layer);
    }

    void consumeActivations(const engine::ActivationBlock& block) override {
        const auto column = static_cast<std::size_t>(block.column);
        count(column, block.firstToken, block.values);
        const auto rows = static_cast<std::uint64_t>(block.values.size(0));
        for (auto kept = std::lower_bound(m_kept.begin(), m_kept.end(), block.firstToken);
             kept != m_kept.end() && *kept < block.firstToken + rows; ++kept) {
            const at::Tensor row = toHost<float>(
                block.values.select(0, static_cast<std::int64_t>(*kept - block.firstToken)));
            keep(column, static_cast<std::size_t>(kept - m_kept.begin()), elements<float>(row));
        }
    }

    void consume(const engine::TokenBlock&) override {}

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_counted->count();
        part.quantities.push_back(
            perColumn("active_share", "share of neurons above the threshold", m_above));
        part.quantities.push_back(
            perColumn("mean_magnitude", "mean magnitude of the activated gate", m_magnitudes));
        for (std::size_t i = 0; i < m_maps.size() && !m_kept.empty(); ++i) {
            part.quantities.push_back(states(m_maps[i], i == 0));
        }
        if (m_notFinite > 0) {
            part.warnings.push_back(std::to_string(m_notFinite) +
                                    " activations are NaN or infinite and left out of the means.");
        }
        return part;
    }

    [[nodiscard]] bool hasModelPart() const override { return true; }

    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) override {
        const auto tokens = kept(model.model, model.corpus);
        session::Part part;
        part.tokens = tokens.size();
        part.quantities.push_back(scalar("threshold",
                                         "magnitude above which a neuron counts as active",
                                         m_options.activityThreshold));
        if (!tokens.empty()) {
            part.quantities.push_back(tokenIndices(tokens));
        }
        return part;
    }

private:
    [[nodiscard]] std::vector<std::uint64_t> kept(const model::ModelSpec& model,
                                                  const text::TokenizedCorpus& corpus) const {
        return keptTokens(m_options, experiments::stateBytes(m_options, model),
                          m_options.keptStateCount, corpus);
    }

    void arrange(const engine::LayerContext& layer) {
        m_maps.assign(1, Map{});
        m_maps[0].width = static_cast<std::uint64_t>(layer.columns.front().intermediateSize);
        m_places.clear();
        for (const engine::Column& column : layer.columns) {
            const auto width = static_cast<std::uint64_t>(column.intermediateSize);
            const bool fits = width == m_maps[0].width;
            if (!fits) {
                m_maps.push_back({.labels = {}, .width = width, .values = {}});
            }
            Map& map = fits ? m_maps.front() : m_maps.back();
            m_places.push_back({fits ? 0 : m_maps.size() - 1, map.labels.size()});
            map.labels.push_back(column.label);
        }
        for (Map& map : m_maps) {
            map.values.assign(m_kept.size() * map.labels.size() * map.width, kNaN);
        }
    }

    /// Reduces the block to numbers per token where it lies; only those come to the CPU.
    void count(std::size_t column, std::uint64_t firstToken, const at::Tensor& values) {
        const at::Tensor magnitudes = values.to(at::kFloat).abs();
        const at::Tensor isFinite = at::isfinite(magnitudes);
        const at::Tensor above = magnitudes.gt(m_options.activityThreshold).logical_and_(isFinite);
        const at::Tensor sums = magnitudes.where(isFinite, at::zeros({}, magnitudes.options()));
        const at::Tensor perToken =
            toHost<double>(at::stack({above.sum(1).to(at::kDouble), sums.sum(1).to(at::kDouble),
                                      isFinite.sum(1).to(at::kDouble)},
                                     1));
        const auto numbers = elements<double>(perToken);
        const auto width = static_cast<double>(values.size(1));
        for (std::size_t i = 0; i < numbers.size() / 3; ++i) {
            if (m_counted->contains(firstToken + i)) {
                m_above[column] += numbers[3 * i];
                m_magnitudes[column] += numbers[3 * i + 1];
                m_values[column] += numbers[3 * i + 2];
                m_notFinite += static_cast<std::uint64_t>(width - numbers[3 * i + 2]);
            }
        }
    }

    void keep(std::size_t column, std::size_t token, std::span<const float> row) {
        const Place place = m_places[column];
        Map& map = m_maps[place.map];
        std::copy(row.begin(), row.end(),
                  map.values.begin() + static_cast<std::ptrdiff_t>(
                                           (token * map.labels.size() + place.row) * map.width));
    }

    [[nodiscard]] session::Quantity perColumn(const std::string& name, const std::string& longName,
                                              const std::vector<double>& sums) const {
        std::vector<float> means(sums.size());
        for (std::size_t i = 0; i < sums.size(); ++i) {
            means[i] = m_values[i] > 0.0 ? static_cast<float>(sums[i] / m_values[i]) : kNaN;
        }
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = {{"expert", m_labels}};
        quantity.longName = longName;
        quantity.units = "1";
        quantity.values = NdArray::from<float>({means.size()}, means);
        return quantity;
    }

    [[nodiscard]] session::Quantity states(const Map& map, bool ofExperts) const {
        session::Quantity quantity;
        quantity.name = ofExperts ? "states" : "states_" + map.labels.front();
        quantity.axes = {{"kept_token", {}}, {"expert", map.labels}, {"neuron", {}}};
        quantity.longName = "activated gate projection";
        quantity.units = "1";
        quantity.values =
            NdArray::from<float>({m_kept.size(), map.labels.size(), map.width}, map.values);
        return quantity;
    }

    ExperimentOptions m_options;
    std::vector<std::string> m_labels;  // N columns
    std::optional<CountedTokens> m_counted;
    std::vector<std::uint64_t> m_kept;
    std::vector<Map> m_maps;                              // the first is that of the experts
    std::vector<Place> m_places;                          // [N]
    std::vector<double> m_above, m_magnitudes, m_values;  // [N] sums over counted tokens
    std::uint64_t m_notFinite = 0;
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeIntermediateStates(const ExperimentOptions& options) {
    return std::make_unique<IntermediateStates>(options);
}

}  // namespace moescope::experiments
