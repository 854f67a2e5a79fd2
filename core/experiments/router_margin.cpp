// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/router_margin.h"

#include "core/experiments/router_noise.h"
#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace moescope::experiments {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// The k-th of each row's values less the next one [n]; NaN where there is no next one.
at::Tensor gapAfter(const at::Tensor& values, std::int64_t k) {
    if (k >= values.size(1)) {
        return at::full({values.size(0)}, std::numeric_limits<double>::quiet_NaN(),
                        values.options());
    }
    const at::Tensor top = std::get<0>(values.topk(k + 1, 1));
    return top.select(1, k - 1) - top.select(1, k);
}

/// In nats, of scores [n, E] taken as shares of their sum (a softmax's are already).
at::Tensor entropyOf(const at::Tensor& scores) {
    const at::Tensor shares = scores / scores.sum(1, /*keepdim=*/true);
    return -at::xlogy(shares, shares).sum(1);
}

class RouterMargin final : public engine::DynamicProbe {
public:
    explicit RouterMargin(ExperimentOptions options) : m_options(std::move(options)) {}

    [[nodiscard]] std::string_view experiment() const override { return "router_margin"; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return layer.tokens() * (kMeasures * sizeof(float) + sizeof(std::uint16_t) + changes());
    }
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }
    /// Input, noise and noisy input in float32; logits and what follows from them.
    [[nodiscard]] std::uint64_t scratchBytesPerToken(
        const engine::LayerContext& layer) const override {
        return sizeof(float) * (4 * static_cast<std::uint64_t>(layer.hiddenSize) +
                                8 * static_cast<std::uint64_t>(layer.experts()));
    }
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        const auto tokens = static_cast<double>(layer.tokens());
        const auto trials = static_cast<double>(changes() + 1);
        constexpr double kNormalSteps = 2.5;  // logarithm, root, sine and cosine
        constexpr double kSortSteps = 80.0;   // of a token's choice
        const double hidden = layer.hiddenSize;
        const double choice = kSortSteps + layer.topK() * (1.0 + 0.1 * layer.experts());
        return {.operations = 2.0 * trials * tokens * hidden * layer.experts(),
                .elements = tokens * trials * (2.0 * hidden + 6.0 * layer.experts()),
                .steps = tokens * (kNormalSteps * hidden + trials * choice)};
    }

    void begin(const engine::LayerContext& layer) override {
        m_layer = layer.layer.value;
        m_tokens = layer.tokens();
        m_hasNext = layer.topK() < layer.experts();
        m_margins = {m_tokens, kMeasures};
        m_next = {m_tokens, 1};
        m_flips = {m_tokens, changes()};
    }

    void consume(const engine::TokenBlock& block) override {
        const std::int64_t k = block.chosen.size(1);
        const at::Tensor others = block.selection.scatter(1, block.chosen, kNever);
        const auto [best, next] = others.max(1);
        const at::Tensor last = block.selection.gather(1, block.chosen.narrow(1, k - 1, 1));
        at::Tensor margin = last.squeeze(1) - best;
        if (!m_hasNext) {
            margin = at::full_like(margin, std::numeric_limits<double>::quiet_NaN());
        }
        put(block.firstToken,
            at::stack({margin, gapAfter(block.logits, k), entropyOf(block.scores)}, 1), m_margins);
        const at::Tensor nextHost = toHost<std::int64_t>(next);
        m_next.put(block.firstToken, elements<std::int64_t>(nextHost));
        const at::Tensor noise =
            standardNormal(m_layer, block.firstToken, block.count, block.trial->input().size(1));
        const at::Tensor flips =
            toHost<std::uint8_t>(flipsOf(*block.trial, noise, m_options.noiseSizes));
        m_flips.put(block.firstToken, elements<std::uint8_t>(flips));
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_tokens;
        part.quantities.push_back(
            {"margin",
             {{"token", {}}, {"measure", {"selection score", "logit", "entropy"}}},
             "k-th less next selection score and logit; entropy of the scores in nats",
             "1",
             m_margins.take()});
        if (m_hasNext) {
            part.quantities.push_back({"next_expert",
                                       {{"token", {}}, {"value", {}}},
                                       "expert that would be chosen next",
                                       "1",
                                       m_next.take()});
        }
        std::vector<std::string> labels;
        for (const double size : m_options.noiseSizes) {
            labels.push_back(fmt::format("{}", size));
        }
        labels.emplace_back("bfloat16");
        part.quantities.push_back({"flips",
                                   {{"token", {}}, {"change", std::move(labels)}},
                                   "1: other experts are chosen under noise of this size, or in "
                                   "bfloat16",
                                   "1",
                                   m_flips.take()});
        return part;
    }

private:
    static constexpr std::uint64_t kMeasures = 3;
    [[nodiscard]] std::uint64_t changes() const { return m_options.noiseSizes.size() + 1; }

    static void put(std::uint64_t first, const at::Tensor& values, TokenRows<float>& rows) {
        const at::Tensor host = toHost<float>(values);
        rows.put(first, elements<float>(host));
    }

    ExperimentOptions m_options;
    int m_layer = 0;
    std::uint64_t m_tokens = 0;
    bool m_hasNext = true;  // some expert is left
    TokenRows<float> m_margins;
    TokenRows<std::uint16_t> m_next;
    TokenRows<std::uint8_t> m_flips;
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeRouterMargin(const ExperimentOptions& options) {
    return std::make_unique<RouterMargin>(options);
}

}  // namespace moescope::experiments
