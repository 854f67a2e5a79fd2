// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <array>
#include <cstdint>
#include <string>

namespace moescope::experiments {

inline constexpr std::array kRoles{engine::Role::Gate, engine::Role::Up, engine::Role::Down};

/// As quantities are named.
[[nodiscard]] inline std::string roleName(engine::Role role) {
    constexpr std::array kNames{"gate", "up", "down"};
    return kNames[static_cast<std::size_t>(role)];
}

/// The axis of a quantity that has a row for each role.
[[nodiscard]] inline session::Axis roleAxis() {
    return {"role", {"gate", "up", "down"}};
}

/// Values of one matrix of a routed expert.
[[nodiscard]] inline std::uint64_t matrixElements(const engine::LayerContext& layer) {
    return static_cast<std::uint64_t>(layer.columns.front().intermediateSize) *
           static_cast<std::uint64_t>(layer.hiddenSize);
}

}  // namespace moescope::experiments
