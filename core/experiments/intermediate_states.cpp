// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/intermediate_states.h"

#include "core/experiments/counted_tokens.h"
#include "core/experiments/kept_tokens.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace moescope::experiments {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
/// Numbers of a token and a column that are summed.
constexpr std::uint64_t kSums = 3;

/// Of all columns.
std::uint64_t neuronsOf(const engine::LayerContext& layer) {
    std::uint64_t neurons = 0;
    for (const engine::Column& column : layer.columns) {
        neurons += static_cast<std::uint64_t>(column.intermediateSize);
    }
    return neurons;
}

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
        const std::uint64_t tokens = kept(layer.model, layer.corpus).size();
        return sizeof(float) * (tokens * neuronsOf(layer) + 2 * layer.columns.size());
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
        // One column at a time: the magnitudes, where they are finite, and what is summed. On a
        // device the three sums of every column wait for the block, to be fetched together.
        return 4 * sizeof(float) * static_cast<std::uint64_t>(widest) +
               2 * kSums * sizeof(double) * layer.columns.size();
    }
    /// The rows of kept tokens wait as well.
    [[nodiscard]] engine::BoundedBytes deviceBytes(
        const engine::LayerContext& layer) const override {
        const std::uint64_t row = sizeof(float) * neuronsOf(layer);
        return {row, kept(layer.model, layer.corpus).size() * row};
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return {.elements = 12.0 * static_cast<double>(layer.tokens()) *
                            static_cast<double>(neuronsOf(layer))};
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_counted.emplace(layer.corpus, m_options.skipFirstToken);
        m_kept = kept(layer.model, layer.corpus);
        m_above.assign(m_labels.size(), 0.0);
        m_magnitudes.assign(m_labels.size(), 0.0);
        m_values.assign(m_labels.size(), 0.0);
        m_notFinite = 0;
        m_pending.clear();
        arrange(layer);
    }

    void consumeActivations(const engine::ActivationBlock& block) override {
        const at::Tensor& values = block.values;
        Pending pending{static_cast<std::size_t>(block.column),
                        block.firstToken,
                        values.size(1),
                        perToken(values),
                        {}};
        for (const std::uint64_t token : keptOf(block.firstToken, values.size(0))) {
            // A copy: the tensor is changed after the call.
            pending.kept.push_back(
                values.select(0, static_cast<std::int64_t>(token - block.firstToken))
                    .to(at::kFloat, /*non_blocking=*/false, /*copy=*/true));
        }
        if (values.is_cpu()) {
            take({std::move(pending)});
        } else {
            m_pending.push_back(std::move(pending));
        }
    }

    /// What comes from a device is fetched when all columns have been given to it: to wait for each
    /// would let it idle between them.
    void consume(const engine::TokenBlock&) override {
        take(m_pending);
        m_pending.clear();
    }

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

    /// A column's block that has been reduced where it lies.
    struct Pending {
        std::size_t column = 0;
        std::uint64_t firstToken = 0;
        std::int64_t width = 0;
        at::Tensor perToken;           // [n, kSums] float64
        std::vector<at::Tensor> kept;  // [width] float32 each, of the kept tokens
    };

    [[nodiscard]] std::span<const std::uint64_t> keptOf(std::uint64_t firstToken,
                                                        std::int64_t tokens) const {
        const auto first = std::lower_bound(m_kept.begin(), m_kept.end(), firstToken);
        const auto end =
            std::lower_bound(first, m_kept.end(), firstToken + static_cast<std::uint64_t>(tokens));
        return {first, end};
    }

    /// Of each token how many neurons are above the threshold, the sum of magnitudes, and how many
    /// are finite: [n, kSums].
    [[nodiscard]] at::Tensor perToken(const at::Tensor& values) const {
        const at::Tensor magnitudes = values.to(at::kFloat).abs();
        const at::Tensor isFinite = at::isfinite(magnitudes);
        const at::Tensor above = magnitudes.gt(m_options.activityThreshold).logical_and_(isFinite);
        const at::Tensor sums = magnitudes.where(isFinite, at::zeros({}, magnitudes.options()));
        return at::stack({above.sum(1).to(at::kDouble), sums.sum(1).to(at::kDouble),
                          isFinite.sum(1).to(at::kDouble)},
                         1);
    }

    void take(const std::vector<Pending>& blocks) {
        if (blocks.empty()) {
            return;
        }
        std::vector<at::Tensor> numbers;
        std::vector<std::vector<at::Tensor>> rows;
        for (const Pending& block : blocks) {
            numbers.push_back(block.perToken);
            std::vector<at::Tensor>& own = rows.emplace_back();
            std::transform(block.kept.begin(), block.kept.end(), std::back_inserter(own),
                           toHost<float>);
        }
        const at::Tensor all = toHost<double>(at::stack(numbers));  // one copy
        const std::size_t size = elements<double>(all).size() / blocks.size();
        for (std::size_t b = 0; b < blocks.size(); ++b) {
            const Pending& block = blocks[b];
            count(block, elements<double>(all).subspan(b * size, size));
            const auto tokens = keptOf(block.firstToken, block.perToken.size(0));
            for (std::size_t i = 0; i < tokens.size(); ++i) {
                keep(block.column, static_cast<std::size_t>(&tokens[i] - m_kept.data()),
                     elements<float>(rows[b][i]));
            }
        }
    }

    void count(const Pending& pending, std::span<const double> numbers) {
        const std::size_t column = pending.column;
        const auto width = static_cast<double>(pending.width);
        for (std::size_t i = 0; i < numbers.size() / kSums; ++i) {
            if (m_counted->contains(pending.firstToken + i)) {
                m_above[column] += numbers[kSums * i];
                m_magnitudes[column] += numbers[kSums * i + 1];
                m_values[column] += numbers[kSums * i + 2];
                m_notFinite += static_cast<std::uint64_t>(width - numbers[kSums * i + 2]);
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
    std::vector<Pending> m_pending;  // of the block that is under way
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeIntermediateStates(const ExperimentOptions& options) {
    return std::make_unique<IntermediateStates>(options);
}

}  // namespace moescope::experiments
