// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/router_trial.h"

#include <ATen/ATen.h>

namespace moescope::engine {
namespace {

at::Tensor wide(const at::Tensor& values) {
    return values.defined() ? values.to(at::kFloat) : values;
}

at::Tensor rounded(const at::Tensor& values) {
    return values.defined() ? values.to(at::kBFloat16).to(at::kFloat) : values;
}

}  // namespace

at::Tensor LayerRouterTrial::input() const {
    return wide(m_input);
}

at::Tensor LayerRouterTrial::chosen(const at::Tensor& input) const {
    const at::Tensor logits =
        at::linear(input, wide(m_router.linear.weight), wide(m_router.linear.bias));
    return chooseFrom(logits, m_router, m_spec, m_topK, nullptr).chosen;
}

at::Tensor LayerRouterTrial::chosenInBfloat16(const at::Tensor& input) const {
    const at::Tensor logits =
        at::linear(rounded(input), rounded(m_router.linear.weight), rounded(m_router.linear.bias));
    return chooseFrom(rounded(logits), m_router, m_spec, m_topK, nullptr).chosen;
}

}  // namespace moescope::engine
