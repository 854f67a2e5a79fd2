// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/rank_counts.h"

#include "core/experiments/counted_tokens.h"
#include "core/experiments/device_ranks.h"
#include "core/experiments/quantities.h"
#include "core/experiments/tensor_host.h"
#include "core/numerics/ranks.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace moescope::experiments {
namespace {

session::Quantity countTable(const std::string& name, const std::string& longName,
                             std::span<const std::uint64_t> counts, std::size_t experts) {
    std::vector<std::string> ranks;
    for (std::size_t rank = 1; rank <= experts; ++rank) {
        ranks.push_back(std::to_string(rank));
    }
    session::Quantity quantity;
    quantity.name = name;
    quantity.axes = {{"score_rank", ranks}, {"norm_rank", ranks}};
    quantity.longName = longName;
    quantity.units = "count";
    quantity.values = NdArray::from<std::uint64_t>({experts, experts}, counts);
    return quantity;
}

class RankCounts final : public engine::DynamicProbe {
public:
    explicit RankCounts(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "rank_counts"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.norms = true}; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const auto experts = static_cast<std::uint64_t>(layer.experts());
        return sizeof(std::uint64_t) * experts * experts;
    }

    /// Copies of the counted tokens' rows, two sortings, and ranks in 64 bits.
    [[nodiscard]] engine::BoundedBytes deviceBytes(
        const engine::LayerContext& layer) const override {
        constexpr std::uint64_t kBytes = 64;
        const std::uint64_t perToken = kBytes * static_cast<std::uint64_t>(layer.experts());
        return {perToken, layer.tokens() * perToken};
    }

    /// Two sortings of each token's experts.
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        const double experts = layer.experts();
        return {.steps = static_cast<double>(layer.tokens()) * experts * 0.5 *
                         (1.0 + std::log2(experts))};
    }

    void begin(const engine::LayerContext& layer) override {
        m_experts = static_cast<std::size_t>(layer.experts());
        m_counted.emplace(layer.corpus, m_options.skipFirstToken);
        m_counts.assign(m_experts * m_experts, 0);
        m_notFinite = 0;
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor norms = block.norms->narrow(1, 0, static_cast<std::int64_t>(m_experts));
        if (norms.is_cpu()) {
            consumeHere(block, norms);
        } else {
            consumeThere(block, norms);
        }
    }

    [[nodiscard]] session::Part end() override {
        const numerics::RankAgreement agreement = numerics::rankAgreement(m_counts, m_experts);
        session::Part part;
        part.tokens = m_counted->count();
        part.quantities.push_back(
            countTable("count", "tokens with this pair of ranks", m_counts, m_experts));
        part.quantities.push_back(
            scalar("diagonal_share", "share of counts on the diagonal", agreement.diagonalShare));
        part.quantities.push_back(
            scalar("spearman", "Spearman's rho of score and norm ranks", agreement.spearman));
        part.quantities.push_back(scalar("agreeing_ranks",
                                         "norm ranks whose most frequent score rank is the same",
                                         static_cast<double>(agreement.agreeingRanks)));
        if (m_notFinite > 0) {
            part.warnings.push_back(std::to_string(m_notFinite) +
                                    " tokens have scores or output norms that are NaN or infinite; "
                                    "NaN ranks as smallest.");
        }
        return part;
    }

    [[nodiscard]] bool hasModelPart() const override { return true; }

    [[nodiscard]] std::optional<session::Part> finishModel(
        const engine::ModelContext&, const engine::PartSource& stored) override {
        std::vector<std::uint64_t> total;
        std::size_t experts = 0;
        std::uint64_t tokens = 0;
        for (const LayerId layer : stored.layers()) {
            const NdArray counts = stored.read(layer, "count");
            if (total.empty()) {
                total.assign(counts.size(), 0);
                experts = counts.shape().front();
            } else if (counts.size() != total.size()) {
                return std::nullopt;  // ranks of layers with other numbers of experts don't add up
            }
            const auto values = counts.values<std::uint64_t>();
            tokens = 0;
            for (std::size_t i = 0; i < total.size(); ++i) {
                total[i] += values[i];
                tokens += i < experts ? values[i] : 0;  // a row sums to the tokens
            }
        }
        if (total.empty()) {
            return std::nullopt;
        }
        session::Part part;
        part.tokens = tokens;
        part.quantities.push_back(countTable(
            "total_count", "tokens with this pair of ranks, all layers", total, experts));
        return part;
    }

private:
    void consumeHere(const engine::TokenBlock& block, const at::Tensor& blockNorms) {
        const at::Tensor hostNorms = toHost<float>(blockNorms);
        const at::Tensor hostScores = toHost<float>(block.scores);
        const auto norms = elements<float>(hostNorms);
        const auto scores = elements<float>(hostScores);
        for (std::uint64_t i = 0; i < block.count; ++i) {
            if (m_counted->contains(block.firstToken + i)) {
                const auto tokenNorms = norms.subspan(i * m_experts, m_experts);
                const auto tokenScores = scores.subspan(i * m_experts, m_experts);
                numerics::addRankCounts(tokenScores, tokenNorms, m_experts, m_counts);
                m_notFinite += isFinite(tokenNorms) && isFinite(tokenScores) ? 0 : 1;
            }
        }
    }

    /// On a device, which only a table leaves.
    void consumeThere(const engine::TokenBlock& block, const at::Tensor& blockNorms) {
        const auto rows = m_counted->rowsOf(block.firstToken, block.count);
        const at::Tensor norms = rowsAt(blockNorms, rows);
        const at::Tensor scores = rowsAt(block.scores, rows);
        const at::Tensor table = toHost<std::int64_t>(
            at::cat({rankCountsOf(scores, norms), nonFiniteRows(scores, norms)}));
        const auto counts = elements<std::int64_t>(table);
        for (std::size_t i = 0; i < m_counts.size(); ++i) {
            m_counts[i] += static_cast<std::uint64_t>(counts[i]);
        }
        m_notFinite += static_cast<std::uint64_t>(counts.back());
    }

    static bool isFinite(std::span<const float> values) {
        return std::all_of(values.begin(), values.end(),
                           [](float value) { return std::isfinite(value); });
    }

    ExperimentOptions m_options;
    std::size_t m_experts = 0;
    std::optional<CountedTokens> m_counted;
    std::vector<std::uint64_t> m_counts;  // [score rank, norm rank]
    std::uint64_t m_notFinite = 0;        // counted tokens with NaN or infinity
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeRankCounts(const ExperimentOptions& options) {
    return std::make_unique<RankCounts>(options);
}

}  // namespace moescope::experiments
