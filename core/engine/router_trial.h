// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/engine/router.h"

namespace moescope::engine {

/// A router that can be asked again. Borrows all it is given. Thread-compatible.
class LayerRouterTrial final : public RouterTrial {
public:
    /// `input` [n, d] is what the router read; k experts are chosen.
    LayerRouterTrial(const at::Tensor& input, const Router& router, const model::RouterSpec& spec,
                     int topK)
        : m_input(input), m_router(router), m_spec(spec), m_topK(topK) {}

    [[nodiscard]] at::Tensor input() const override;
    [[nodiscard]] at::Tensor chosen(const at::Tensor& input) const override;
    [[nodiscard]] at::Tensor chosenInBfloat16(const at::Tensor& input) const override;

private:
    const at::Tensor& m_input;
    const Router& m_router;
    const model::RouterSpec& m_spec;
    int m_topK;
};

}  // namespace moescope::engine
