// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/norms_scores.h"

#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

#include <cmath>

namespace moescope::experiments {
namespace {

class NormsScores final : public engine::DynamicProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "norms_scores"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.norms = true}; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return 2 * sizeof(float) * layer.tokens() * static_cast<std::uint64_t>(layer.experts());
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        return {.elements = 6.0 * static_cast<double>(layer.tokens()) * layer.experts()};
    }

    void begin(const engine::LayerContext& layer) override {
        m_experts = layer.experts();
        m_tokens = layer.tokens();
        m_norms = {m_tokens, static_cast<std::uint64_t>(m_experts)};
        m_scores = {m_tokens, static_cast<std::uint64_t>(m_experts)};
        m_notFinite = 0;
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor norms = toHost<float>(block.norms->narrow(1, 0, m_experts));
        const at::Tensor scores = toHost<float>(block.scores);
        m_norms.put(block.firstToken, elements<float>(norms));
        m_scores.put(block.firstToken, elements<float>(scores));
        for (const float norm : elements<float>(norms)) {
            m_notFinite += std::isfinite(norm) ? 0 : 1;
        }
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_tokens;
        add("norm", "L2 norm of the expert's output", m_norms, part);
        add("score", "router score", m_scores, part);
        if (m_notFinite > 0) {
            part.warnings.push_back(std::to_string(m_notFinite) +
                                    " output norms are NaN or infinite.");
        }
        return part;
    }

private:
    static void add(const std::string& name, const std::string& longName, TokenRows<float>& rows,
                    session::Part& part) {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = {{"token", {}}, {"expert", {}}};
        quantity.longName = longName;
        quantity.units = "1";
        quantity.values = rows.take();
        part.quantities.push_back(std::move(quantity));
    }

    std::int64_t m_experts = 0;
    std::uint64_t m_tokens = 0;
    TokenRows<float> m_norms;   // [T, E]
    TokenRows<float> m_scores;  // [T, E]
    std::uint64_t m_notFinite = 0;
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeNormsScores() {
    return std::make_unique<NormsScores>();
}

}  // namespace moescope::experiments
