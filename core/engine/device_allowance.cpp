// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_allowance.h"

#include <algorithm>

namespace moescope::engine {
namespace {

/// From so many layers in which memory ran out on nothing grows any more.
constexpr int kMostLayers = 2;

}  // namespace

DeviceAllowance::DeviceAllowance(int experts)
    : m_planned(std::max(experts, 1)), m_experts(m_planned) {}

void DeviceAllowance::giveUpExpertsAhead() {
    m_expertsAhead = false;
    m_ranOut = true;
}

void DeviceAllowance::giveUpLayersAhead() {
    m_layersAhead = false;
    m_ranOut = true;
}

void DeviceAllowance::giveUpExperts(int left) {
    m_experts = std::clamp(left, 1, m_experts);
    m_ranOut = true;
}

void DeviceAllowance::beginLayer() {
    m_layersRanOut += m_ranOut ? 1 : 0;
    const bool grows = !m_ranOut && m_layersRanOut < kMostLayers;
    m_ranOut = false;
    if (!grows) {
        return;
    }
    // In the reverse of the order in which they were given up.
    m_layersAhead = true;
    if (m_experts < m_planned) {
        m_experts = std::min(2 * m_experts, m_planned);
    } else {
        m_expertsAhead = true;
    }
}

}  // namespace moescope::engine
