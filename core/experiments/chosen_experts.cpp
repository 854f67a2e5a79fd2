// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/chosen_experts.h"

#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

namespace moescope::experiments {
namespace {

class ChosenExperts final : public engine::DynamicProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "chosen_experts"; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t idBytes = fitsByte(layer.experts()) ? 1 : 2;
        return (idBytes + sizeof(float)) * layer.tokens() *
               static_cast<std::uint64_t>(layer.topK());
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }

    void begin(const engine::LayerContext& layer) override {
        m_tokens = layer.tokens();
        m_inBytes = fitsByte(layer.experts());
        const auto k = static_cast<std::uint64_t>(layer.topK());
        m_bytes = {m_inBytes ? m_tokens : 0, k};
        m_words = {m_inBytes ? 0 : m_tokens, k};
        m_weights = {m_tokens, k};
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor chosen = toHost<std::int64_t>(block.chosen);
        if (m_inBytes) {
            m_bytes.put(block.firstToken, elements<std::int64_t>(chosen));
        } else {
            m_words.put(block.firstToken, elements<std::int64_t>(chosen));
        }
        const at::Tensor weights = toHost<float>(block.weights);
        m_weights.put(block.firstToken, elements<float>(weights));
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_tokens;
        add("ids", "chosen expert", m_inBytes ? m_bytes.take() : m_words.take(), part);
        add("weights", "routing weight", m_weights.take(), part);
        return part;
    }

private:
    static bool fitsByte(int experts) { return experts <= 256; }

    static void add(const std::string& name, const std::string& longName, NdArray values,
                    session::Part& part) {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = {{"token", {}}, {"k", {}}};
        quantity.longName = longName;
        quantity.units = "1";
        quantity.values = std::move(values);
        part.quantities.push_back(std::move(quantity));
    }

    std::uint64_t m_tokens = 0;
    bool m_inBytes = true;
    TokenRows<std::uint8_t> m_bytes;   // [T, k], up to 256 experts
    TokenRows<std::uint16_t> m_words;  // [T, k], beyond
    TokenRows<float> m_weights;        // [T, k]
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeChosenExperts() {
    return std::make_unique<ChosenExperts>();
}

}  // namespace moescope::experiments
