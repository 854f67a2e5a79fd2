// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/chosen_experts.h"

#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

#include <limits>

namespace moescope::experiments {
namespace {

/// k-th minus (k+1)-th selection score [n]; NaN where every expert is chosen.
at::Tensor marginOf(const at::Tensor& selection, const at::Tensor& chosen) {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
    const at::Tensor last = selection.gather(1, chosen.narrow(1, chosen.size(1) - 1, 1));
    if (chosen.size(1) >= selection.size(1)) {
        return at::full_like(last, kMissing);
    }
    return last - selection.scatter(1, chosen, kNever).amax(1, /*keepdim=*/true);
}

class ChosenExperts final : public engine::DynamicProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "chosen_experts"; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        const std::uint64_t idBytes = fitsByte(layer.experts()) ? 1 : 2;
        const auto k = static_cast<std::uint64_t>(layer.topK());
        return ((idBytes + sizeof(float)) * k + sizeof(float)) * layer.tokens();
    }

    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }

    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        const auto tokens = static_cast<double>(layer.tokens());
        return {.elements = tokens * (4.0 * layer.experts() + 6.0 * layer.topK())};
    }

    void begin(const engine::LayerContext& layer) override {
        m_tokens = layer.tokens();
        m_inBytes = fitsByte(layer.experts());
        const auto k = static_cast<std::uint64_t>(layer.topK());
        m_bytes = {m_inBytes ? m_tokens : 0, k};
        m_words = {m_inBytes ? 0 : m_tokens, k};
        m_weights = {m_tokens, k};
        m_margins = {m_tokens, 1};
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
        const at::Tensor margins = toHost<float>(marginOf(block.selection, block.chosen));
        m_margins.put(block.firstToken, elements<float>(margins));
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_tokens;
        const std::vector<session::Axis> choices{{"token", {}}, {"k", {}}};
        add("ids", choices, "chosen expert", m_inBytes ? m_bytes.take() : m_words.take(), part);
        add("weights", choices, "routing weight", m_weights.take(), part);
        add("margin", {{"token", {}}, {"value", {}}}, "margin of the selection score",
            m_margins.take(), part);
        return part;
    }

private:
    static bool fitsByte(int experts) { return experts <= 256; }

    static void add(const std::string& name, const std::vector<session::Axis>& axes,
                    const std::string& longName, NdArray values, session::Part& part) {
        session::Quantity quantity;
        quantity.name = name;
        quantity.axes = axes;
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
    TokenRows<float> m_margins;        // [T, 1]
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeChosenExperts() {
    return std::make_unique<ChosenExperts>();
}

}  // namespace moescope::experiments
