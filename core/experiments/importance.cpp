// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/importance.h"

#include "core/experiments/tensor_host.h"
#include "core/experiments/token_rows.h"

#include <algorithm>
#include <cmath>

namespace moescope::experiments {
namespace {

class Importance final : public engine::DynamicProbe {
public:
    [[nodiscard]] std::string_view experiment() const override { return "importance"; }
    [[nodiscard]] engine::DynamicNeeds needs() const override { return {.chosenSizes = true}; }

    [[nodiscard]] std::uint64_t stateBytes(const engine::LayerContext& layer) const override {
        return sizeof(float) * (layer.tokens() * static_cast<std::uint64_t>(layer.topK()) +
                                static_cast<std::uint64_t>(layer.experts()));
    }
    [[nodiscard]] std::uint64_t resultBytes(const engine::LayerContext& layer) const override {
        return stateBytes(layer);
    }
    /// An expert's outputs in float32, of all tokens at the worst.
    [[nodiscard]] std::uint64_t scratchBytesPerToken(
        const engine::LayerContext& layer) const override {
        return 2 * sizeof(float) * static_cast<std::uint64_t>(layer.hiddenSize);
    }
    [[nodiscard]] engine::Effort effort(const engine::LayerContext& layer) const override {
        constexpr double kPasses = 4.0;  // to float32, norm, magnitude, maximum
        return {.elements = kPasses * static_cast<double>(layer.tokens()) * layer.topK() *
                            layer.hiddenSize};
    }

    void begin(const engine::LayerContext& layer) override {
        m_tokens = layer.tokens();
        m_norms = {m_tokens, static_cast<std::uint64_t>(layer.topK())};
        m_largest.assign(static_cast<std::size_t>(layer.experts()), 0.0F);
        m_notFinite = 0;
        m_labels = layer.labels();
        m_labels.resize(m_largest.size());
    }

    void consume(const engine::TokenBlock& block) override {
        const at::Tensor norms = toHost<float>(block.chosenSizes->norms);
        m_norms.put(block.firstToken, elements<float>(norms));
        const at::Tensor largest = toHost<float>(block.chosenSizes->largest);
        const at::Tensor chosen = toHost<std::int64_t>(block.chosen);
        const auto ids = elements<std::int64_t>(chosen);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            float& most = m_largest[static_cast<std::size_t>(ids[i])];
            most = std::max(most, elements<float>(largest)[i]);
            m_notFinite += std::isfinite(elements<float>(norms)[i]) ? 0 : 1;
        }
    }

    [[nodiscard]] session::Part end() override {
        session::Part part;
        part.tokens = m_tokens;
        part.quantities.push_back({"norm",
                                   {{"token", {}}, {"k", {}}},
                                   "L2 norm of the chosen expert's output",
                                   "1",
                                   m_norms.take()});
        part.quantities.push_back({"largest_output",
                                   {{"expert", m_labels}},
                                   "largest magnitude of an element of the expert's outputs",
                                   "1",
                                   NdArray::from<float>({m_largest.size()}, m_largest)});
        if (m_notFinite > 0) {
            part.warnings.push_back(std::to_string(m_notFinite) +
                                    " outputs of chosen experts are NaN or infinite.");
        }
        return part;
    }

private:
    std::uint64_t m_tokens = 0;
    TokenRows<float> m_norms;      // [T, k]
    std::vector<float> m_largest;  // [E]; 0 for an expert that no token chose
    std::vector<std::string> m_labels;
    std::uint64_t m_notFinite = 0;
};

}  // namespace

std::unique_ptr<engine::DynamicProbe> makeImportance() {
    return std::make_unique<Importance>();
}

}  // namespace moescope::experiments
