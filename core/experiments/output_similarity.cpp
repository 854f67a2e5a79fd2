// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/output_similarity.h"

#include "core/experiments/counted_tokens.h"
#include "core/experiments/device_similarity.h"
#include "core/experiments/kept_tokens.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"
#include "core/jobs/parallel_for.h"
#include "core/numerics/similarity.h"
#include "core/numerics/token_similarity.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace moescope::experiments {
namespace {

class OutputSimilarity final : public engine::DynamicProbe {
public:
    explicit OutputSimilarity(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "output_similarity"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.outputs = true}; }

    void check(const engine::LayerContext& layer) const override {
        static_cast<void>(kept(layer.model, layer.corpus));  // throws where the text lacks a token
    }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t columns = layer.columns.size();
        const std::uint64_t tokens = kept(layer.model, layer.corpus).size();
        return sizeof(double) * 2 * columns * columns +
               numerics::tokenSimilarityBytes(columns, jobs::availableThreads()) +
               sizeof(float) * tokens * columns * columns;
    }

    [[nodiscard]] engine::BoundedBytes deviceBytes(
        const engine::LayerContext& layer) const override {
        return similarityBytes(layer.columns.size(), static_cast<std::uint64_t>(layer.hiddenSize));
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t columns = layer.columns.size();
        const std::uint64_t tokens = kept(layer.model, layer.corpus).size();
        return sizeof(float) * (2 + tokens) * columns * columns;
    }

    [[nodiscard]] std::string keptNote(const model::ModelSpec& model,
                                       const text::TokenizedCorpus& corpus) const override {
        return experiments::keptNote(m_options, mapBytes(m_options, model),
                                     m_options.keptTokenCount, corpus);
    }

    /// Half of a Gram matrix in float64, which counts twice, and two angles per pair, several at
    /// once.
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        const auto tokens = static_cast<double>(layer.tokens());
        const auto columns = static_cast<double>(layer.columns.size());
        const double pairs = tokens * columns * columns;
        // An angle is a quarter of one, its products begin and end.
        constexpr double kStepsPerPair = 1.25;
        return {.operations = 2.0 * pairs * layer.hiddenSize,
                .elements = 2.0 * tokens * columns * layer.hiddenSize,
                .steps = kStepsPerPair * pairs};
    }

    void begin(const engine::LayerContext& layer) override {
        m_labels = layer.labels();
        m_experts = static_cast<std::size_t>(layer.experts());
        m_counted.emplace(layer.corpus, m_options.skipFirstToken);
        m_kept = kept(layer.model, layer.corpus);
        m_sums.assign(m_labels.size() * m_labels.size(), 0.0);
        m_relativeSums.assign(m_experts * m_experts, 0.0);
        m_maps.assign(m_kept.size() * m_sums.size(), std::numeric_limits<float>::quiet_NaN());
        m_notFinite = 0;
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor& outputs = *block.outputs;
        const bool isOurs =
            outputs.scalar_type() == at::kFloat || outputs.scalar_type() == at::kBFloat16;
        if (outputs.is_cpu() && isOurs) {
            consumeHere(outputs, block.firstToken);
            return;
        }
        const std::int64_t step = tokensAtOnce(outputs);
        const auto sums = static_cast<std::int64_t>(m_sums.size() + m_relativeSums.size());
        at::Tensor total = at::zeros({sums + 1}, outputs.options().dtype(at::kDouble));
        for (std::int64_t first = 0; first < outputs.size(1); first += step) {
            const std::int64_t count = std::min(step, outputs.size(1) - first);
            addChunk(outputs.narrow(1, first, count),
                     block.firstToken + static_cast<std::uint64_t>(first), total);
        }
        take(toHost<double>(total));
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_counted->count();
        const std::vector<std::string> experts(
            m_labels.begin(), m_labels.begin() + static_cast<std::ptrdiff_t>(m_experts));
        part.quantities.push_back(similarityMatrix(
            "mean_angular", "mean angular similarity of outputs", m_labels, means(m_sums)));
        part.quantities.push_back(similarityMatrix(
            "mean_angular_relative", "mean angular similarity of outputs minus the experts' mean",
            experts, means(m_relativeSums)));
        if (!m_kept.empty()) {
            part.quantities.push_back(maps());
        }
        if (m_notFinite > 0) {
            part.warnings.push_back("NaN or infinity in expert outputs of " +
                                    std::to_string(m_notFinite) +
                                    " tokens: similarities with them are missing.");
        }
        return part;
    }

    [[nodiscard]] bool hasModelPart() const override { return m_options.keptTokenCount > 0; }

    [[nodiscard]] std::optional<session::Part> finishModel(const engine::ModelContext& model,
                                                           const engine::PartSource&) override {
        const auto tokens = kept(model.model, model.corpus);
        session::Part part;
        part.tokens = tokens.size();
        part.quantities.push_back(tokenIndices(tokens));
        return part;
    }

private:
    [[nodiscard]] std::vector<std::uint64_t> kept(const model::ModelSpec& model,
                                                  const text::TokenizedCorpus& corpus) const {
        return keptTokens(m_options, mapBytes(m_options, model), m_options.keptTokenCount, corpus);
    }

    void consumeHere(const at::Tensor& outputs, std::uint64_t firstToken) {
        const auto vectors = static_cast<std::size_t>(outputs.size(0));
        const auto tokens = static_cast<std::size_t>(outputs.size(1));
        const auto length = static_cast<std::size_t>(outputs.size(2));
        const bool isWide = outputs.scalar_type() == at::kFloat;
        m_notFinite += numerics::addTokenSimilarities(
            {.data = isWide ? outputs.data_ptr<float>() : nullptr,
             .bfloat16 = isWide ? nullptr : static_cast<const std::uint16_t*>(outputs.data_ptr()),
             .vectors = vectors,
             .tokens = tokens,
             .length = length,
             .vectorStride = tokens * length,
             .tokenStride = length},
            {.centred = m_experts,
             .threads = jobs::loopThreads(),
             .counts = [&](std::size_t token) { return m_counted->contains(firstToken + token); },
             .visit = [&](std::size_t token,
                          std::span<const double> gram) { keepMap(firstToken + token, gram); }},
            {m_sums, m_relativeSums});
    }

    /// On a device, whose products are LibTorch's. Only sums and the kept tokens' maps leave it.
    void addChunk(const at::Tensor& outputs, std::uint64_t firstToken, at::Tensor& total) {
        at::Tensor grams = gramPerToken(outputs);
        keepMaps(grams, firstToken);
        const at::Tensor experts = outputs.narrow(0, 0, static_cast<std::int64_t>(m_experts));
        at::Tensor relative = relativeGrams(grams, experts);
        const auto rows =
            m_counted->rowsOf(firstToken, static_cast<std::uint64_t>(outputs.size(1)));
        grams = rowsAt(grams, rows);
        relative = rowsAt(relative, rows);
        total.add_(at::cat({angularSums(grams).flatten(), angularSums(relative).flatten(),
                            countNonFinite(grams)}));
    }

    /// What addChunk() summed.
    void take(const at::Tensor& total) {
        const auto values = elements<double>(total);
        const auto add = [](std::span<const double> from, std::vector<double>& to) {
            std::transform(from.begin(), from.end(), to.begin(), to.begin(), std::plus<>());
        };
        add(values.first(m_sums.size()), m_sums);
        add(values.subspan(m_sums.size(), m_relativeSums.size()), m_relativeSums);
        m_notFinite += static_cast<std::uint64_t>(values.back());
    }

    void keepMaps(const at::Tensor& grams, std::uint64_t firstToken) {
        const auto end = firstToken + static_cast<std::uint64_t>(grams.size(0));
        const auto first = std::lower_bound(m_kept.begin(), m_kept.end(), firstToken);
        const auto last = std::lower_bound(first, m_kept.end(), end);
        if (first == last) {
            return;
        }
        std::vector<std::int64_t> rows;
        std::transform(first, last, std::back_inserter(rows), [&](std::uint64_t token) {
            return static_cast<std::int64_t>(token - firstToken);
        });
        const at::Tensor maps = toHost<float>(cosinesOf(rowsAt(grams, rows)));  // one copy
        const auto values = elements<float>(maps);
        std::copy(
            values.begin(), values.end(),
            m_maps.begin() + (first - m_kept.begin()) * static_cast<std::ptrdiff_t>(m_sums.size()));
    }

    /// Of different tokens also from several threads.
    void keepMap(std::uint64_t token, std::span<const double> gram) {
        const auto found = std::lower_bound(m_kept.begin(), m_kept.end(), token);
        if (found == m_kept.end() || *found != token) {
            return;
        }
        std::vector<double> cosines(gram.size());
        numerics::cosinesFromGram(gram, m_labels.size(), cosines);
        std::transform(
            cosines.begin(), cosines.end(),
            m_maps.begin() + (found - m_kept.begin()) * static_cast<std::ptrdiff_t>(gram.size()),
            [](double value) { return static_cast<float>(value); });
    }

    [[nodiscard]] std::vector<double> means(const std::vector<double>& sums) const {
        std::vector<double> result(sums.size());
        const auto tokens = static_cast<double>(m_counted->count());
        std::transform(sums.begin(), sums.end(), result.begin(),
                       [tokens](double sum) { return sum / tokens; });
        return result;
    }

    [[nodiscard]] session::Quantity maps() const {
        session::Quantity quantity;
        quantity.name = "token_cosine";
        quantity.axes = {{"kept_token", {}}, {"row", m_labels}, {"column", m_labels}};
        quantity.longName = "cosine of outputs";
        quantity.units = "1";
        quantity.values =
            NdArray::from<float>({m_kept.size(), m_labels.size(), m_labels.size()}, m_maps);
        return quantity;
    }

    ExperimentOptions m_options;
    std::vector<std::string> m_labels;  // N columns
    std::size_t m_experts = 0;
    std::optional<CountedTokens> m_counted;
    std::vector<std::uint64_t> m_kept;
    std::vector<double> m_sums;          // [N, N]
    std::vector<double> m_relativeSums;  // [E, E]
    std::vector<float> m_maps;           // [kept, N, N]
    std::uint64_t m_notFinite = 0;       // counted tokens with NaN or infinity
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeOutputSimilarity(const ExperimentOptions& options) {
    return std::make_unique<OutputSimilarity>(options);
}

}  // namespace moescope::experiments
