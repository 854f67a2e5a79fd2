// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace moescope::engine {

/// How much of a model's weights may lie on a device beside what is computed with: as planned, less
/// when memory ran out, and more again when a layer passed without that. What took the memory may
/// have been another program, or one layer that is larger than the others; but where memory runs
/// out in a second layer the plan was too large, and what was given up then stays given up: each
/// time it runs out something is computed twice. Thread-compatible.
class DeviceAllowance {
public:
    /// `experts`: routed ones of a layer that lie there together.
    explicit DeviceAllowance(int experts);

    [[nodiscard]] int experts() const { return m_experts; }
    /// Of the next layer, where all of a layer fit.
    [[nodiscard]] bool expertsAhead() const { return m_expertsAhead; }
    /// What else the next layer has.
    [[nodiscard]] bool layersAhead() const { return m_layersAhead; }

    void giveUpExpertsAhead();
    void giveUpLayersAhead();
    /// So many are left.
    void giveUpExperts(int left);
    /// Before any of a layer's weights are asked for.
    void beginLayer();

private:
    int m_planned;
    int m_experts;
    bool m_expertsAhead = true, m_layersAhead = true;
    bool m_ranOut = false;  ///< in the layer at hand
    int m_layersRanOut = 0;
};

}  // namespace moescope::engine
