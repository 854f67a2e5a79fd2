// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/output_similarity.h"

#include "core/experiments/counted_tokens.h"
#include "core/experiments/kept_tokens.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"
#include "core/jobs/parallel_for.h"
#include "core/numerics/similarity.h"
#include "core/numerics/token_similarity.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace moescope::experiments {
namespace {

// Elements of float64 temporaries made at once on a device: bounds memory whatever the block.
constexpr std::int64_t kChunkElements = 1 << 23;
constexpr double kSmallestNorm = 1e-8;  // as numerics::cosineFromDots()

std::int64_t chunkTokens(std::int64_t columns, std::int64_t hiddenSize) {
    return std::max<std::int64_t>(1, kChunkElements / (columns * std::max(hiddenSize, columns)));
}

/// Gram matrices [n, N, N] of outputs [N, n, d], float64.
at::Tensor gramPerToken(const at::Tensor& outputs) {
    const at::Tensor vectors = outputs.transpose(0, 1);  // [n, N, d]
    return at::bmm(vectors, vectors.transpose(1, 2));
}

/// numerics::addAngularSimilarities() of all tokens' Gram matrices [n, N, N], where they lie:
/// [N, N].
at::Tensor angularSums(const at::Tensor& grams) {
    const at::Tensor own = grams.diagonal(0, 1, 2);
    const at::Tensor scales = own.sqrt().clamp_min_(kSmallestNorm).reciprocal_();
    at::Tensor similarities = grams * scales.unsqueeze(2) * scales.unsqueeze(1);
    similarities.clamp_(-1.0, 1.0).acos_().mul_(-std::numbers::inv_pi).add_(1.0);
    similarities.diagonal(0, 1, 2).copy_(
        at::where(at::isfinite(own), at::ones_like(own), own - own));
    return similarities.sum(0);
}

/// How many of the tokens have NaN or infinity.
at::Tensor countNonFinite(const at::Tensor& grams) {
    return at::isfinite(grams.diagonal(0, 1, 2)).logical_not_().any(1).sum().to(at::kDouble);
}

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

    /// Of a chunk: outputs in float64, the experts' without their mean, and Gram matrices, of which
    /// two are scaled while both wait.
    [[nodiscard]] engine::BoundedBytes deviceBytes(
        const engine::LayerContext& layer) const override {
        const auto columns = static_cast<std::uint64_t>(layer.columns.size());
        const auto hidden = static_cast<std::uint64_t>(layer.hiddenSize);
        const std::uint64_t perToken =
            sizeof(double) * ((2 * columns + 1) * hidden + 4 * columns * columns);
        const std::int64_t chunk =
            chunkTokens(static_cast<std::int64_t>(columns), layer.hiddenSize);
        return {perToken, static_cast<std::uint64_t>(chunk) * perToken};
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
        constexpr double kAnglesPerStep = 4.0;
        return {.operations = 2.0 * pairs * layer.hiddenSize,
                .elements = 2.0 * tokens * columns * layer.hiddenSize,
                .steps = pairs / kAnglesPerStep};
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
        const std::int64_t step = chunkTokens(outputs.size(0), outputs.size(2));
        const auto sums = static_cast<std::int64_t>(m_sums.size() + m_relativeSums.size());
        at::Tensor total = at::zeros({sums + 1}, outputs.options().dtype(at::kDouble));
        for (std::int64_t first = 0; first < outputs.size(1); first += step) {
            const std::int64_t count = std::min(step, outputs.size(1) - first);
            addChunk(outputs.narrow(1, first, count).to(at::kDouble),
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
        at::Tensor relative = gramPerToken(experts - experts.mean(0, true));
        std::vector<std::int64_t> counted;
        for (std::int64_t i = 0; i < outputs.size(1); ++i) {
            if (m_counted->contains(firstToken + static_cast<std::uint64_t>(i))) {
                counted.push_back(i);
            }
        }
        if (static_cast<std::int64_t>(counted.size()) < outputs.size(1)) {
            const at::Tensor rows = at::tensor(counted, at::kLong).to(outputs.device());
            grams = grams.index_select(0, rows);
            relative = relative.index_select(0, rows);
        }
        total.add_(at::cat({angularSums(grams).flatten(), angularSums(relative).flatten(),
                            countNonFinite(grams).view({1})}));
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
        for (auto token = std::lower_bound(m_kept.begin(), m_kept.end(), firstToken);
             token != m_kept.end() && *token < end; ++token) {
            const at::Tensor gram =
                toHost<double>(grams.select(0, static_cast<std::int64_t>(*token - firstToken)));
            keepMap(*token, elements<double>(gram));
        }
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
