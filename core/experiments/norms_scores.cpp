// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/norms_scores.h"

#include "core/experiments/kept_tokens.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace moescope::experiments {
namespace {

class NormsScores final : public engine::DynamicProbe {
public:
    explicit NormsScores(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "norms_scores"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.norms = true}; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return 2 * sizeof(float) * kept(layer.model, layer.corpus).size() *
               static_cast<std::uint64_t>(layer.experts());
    }

    /// The kept tokens' rows of one table, or what says which norms are finite.
    [[nodiscard]] engine::BoundedBytes deviceBytes(
        const engine::LayerContext& layer) const override {
        constexpr std::uint64_t kBytes = 8;
        const std::uint64_t perToken = kBytes * static_cast<std::uint64_t>(layer.experts());
        return {perToken, layer.tokens() * perToken};
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }

    [[nodiscard]] std::string keptNote(const model::ModelSpec& model,
                                       const text::TokenizedCorpus& corpus) const override {
        return experiments::keptNote(m_options, normBytes(m_options, model), corpus.tokenCount(),
                                     corpus);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return {.elements = 6.0 * static_cast<double>(layer.tokens()) * layer.experts()};
    }

    void begin(const engine::LayerContext& layer) override {
        m_experts = layer.experts();
        m_tokens = layer.tokens();
        m_kept = kept(layer.model, layer.corpus);
        m_norms = {m_kept.size(), static_cast<std::uint64_t>(m_experts)};
        m_scores = {m_kept.size(), static_cast<std::uint64_t>(m_experts)};
        m_normSums.assign(static_cast<std::size_t>(m_experts), 0.0);
        m_scoreSums = m_normSums;
        m_notFinite = 0;
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor norms = block.norms->narrow(1, 0, m_experts);
        if (norms.is_cpu()) {
            consumeHere(block, norms);
        } else {
            consumeThere(block, norms);
        }
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_kept.size();
        if (m_kept.size() < m_tokens) {
            part.quantities.push_back(tokenIndices(m_kept));
        }
        add("norm", "L2 norm of the expert's output", m_norms, part);
        add("score", "router score", m_scores, part);
        addMean("mean_norm", "mean L2 norm of the expert's output", m_normSums, part);
        addMean("mean_score", "mean router score", m_scoreSums, part);
        if (m_notFinite > 0) {
            part.warnings.push_back(std::to_string(m_notFinite) +
                                    " output norms are NaN or infinite.");
        }
        return part;
    }

private:
    [[nodiscard]] std::vector<std::uint64_t> kept(const model::ModelSpec& model,
                                                  const text::TokenizedCorpus& corpus) const {
        return keptTokens(m_options, normBytes(m_options, model), corpus.tokenCount(), corpus);
    }

    void consumeHere(const engine::TokenBlock& block, const at::Tensor& blockNorms) {
        const at::Tensor norms = toHost<float>(blockNorms);
        const at::Tensor scores = toHost<float>(block.scores);
        const auto rows = keptRows(block);
        put(block, rowsAt(norms, rows), m_norms);
        put(block, rowsAt(scores, rows), m_scores);
        addRows(elements<float>(norms), m_normSums);
        addRows(elements<float>(scores), m_scoreSums);
        for (const float norm : elements<float>(norms)) {
            m_notFinite += std::isfinite(norm) ? 0 : 1;
        }
    }

    /// On a device, which only sums and the kept tokens' rows leave.
    void consumeThere(const engine::TokenBlock& block, const at::Tensor& blockNorms) {
        const auto rows = keptRows(block);
        const at::Tensor norms = toHost<float>(rowsAt(blockNorms, rows));
        const at::Tensor scores = toHost<float>(rowsAt(block.scores, rows));
        const at::Tensor notFinite = at::isfinite(blockNorms).logical_not_().sum();
        const at::Tensor sums =
            toHost<double>(at::cat({blockNorms.sum(0, /*keepdim=*/false, at::kDouble),
                                    block.scores.sum(0, /*keepdim=*/false, at::kDouble),
                                    notFinite.to(at::kDouble).view({1})}));
        put(block, norms, m_norms);
        put(block, scores, m_scores);
        const auto experts = static_cast<std::size_t>(m_experts);
        const auto values = elements<double>(sums);
        for (std::size_t e = 0; e < experts; ++e) {
            m_normSums[e] += values[e];
            m_scoreSums[e] += values[experts + e];
        }
        m_notFinite += static_cast<std::uint64_t>(values.back());
    }

    /// The rows of a block's kept tokens; none where every token is kept.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> keptRows(
        const engine::TokenBlock& block) const {
        if (m_kept.size() == m_tokens) {
            return std::nullopt;
        }
        std::vector<std::int64_t> rows;
        for (auto token = firstKept(block);
             token != m_kept.end() && *token < block.firstToken + block.count; ++token) {
            rows.push_back(static_cast<std::int64_t>(*token - block.firstToken));
        }
        return rows;
    }

    [[nodiscard]] std::vector<std::uint64_t>::const_iterator firstKept(
        const engine::TokenBlock& block) const {
        return std::lower_bound(m_kept.begin(), m_kept.end(), block.firstToken);
    }

    /// The kept rows of a block follow those of the blocks before it.
    void put(const engine::TokenBlock& block, const at::Tensor& kept,
             TokenRows<float>& rows) const {
        const std::uint64_t first =
            m_kept.size() == m_tokens
                ? block.firstToken
                : static_cast<std::uint64_t>(firstKept(block) - m_kept.begin());
        rows.put(first, elements<float>(kept));
    }

    void add(const std::string& name, const std::string& longName, TokenRows<float>& rows,
             session::Part& part) const {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = {{m_kept.size() < m_tokens ? "kept_token" : "token", {}}, {"expert", {}}};
        quantity.longName = longName;
        quantity.units = "1";
        quantity.values = rows.take();
        part.quantities.push_back(std::move(quantity));
    }

    static void addRows(std::span<const float> values, std::vector<double>& sums) {
        for (std::size_t i = 0; i < values.size(); i += sums.size()) {
            for (std::size_t e = 0; e < sums.size(); ++e) {
                sums[e] += static_cast<double>(values[i + e]);
            }
        }
    }

    /// Over all tokens, also those without a row: figures of the whole text need not read the rows.
    void addMean(const std::string& name, const std::string& longName,
                 const std::vector<double>& sums, session::Part& part) const {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = {{"expert", {}}};
        quantity.longName = longName;
        quantity.units = "1";
        std::vector<double> means;
        std::transform(sums.begin(), sums.end(), std::back_inserter(means),
                       [this](double sum) { return sum / static_cast<double>(m_tokens); });
        quantity.values = NdArray::from<double>({means.size()}, means);
        part.quantities.push_back(std::move(quantity));
    }

    ExperimentOptions m_options;
    std::int64_t m_experts = 0;
    std::uint64_t m_tokens = 0;
    std::vector<std::uint64_t> m_kept;  // tokens with a row, ascending
    TokenRows<float> m_norms;           // [kept, E]
    TokenRows<float> m_scores;          // [kept, E]
    std::vector<double> m_normSums;     // [E], over all tokens
    std::vector<double> m_scoreSums;
    std::uint64_t m_notFinite = 0;
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeNormsScores(const ExperimentOptions& options) {
    return std::make_unique<NormsScores>(options);
}

}  // namespace moescope::experiments
