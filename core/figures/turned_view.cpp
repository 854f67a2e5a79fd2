// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/turned_view.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moescope::figures {
namespace {

constexpr double kLeastZoom = 0.5;
constexpr double kMostZoom = 50.0;

}  // namespace

void TurnedView::rotate(double byTurn, double byTilt) {
    turn = std::remainder(turn + byTurn, 2.0 * std::numbers::pi);
    tilt = std::clamp(tilt + byTilt, -std::numbers::pi / 2.0, std::numbers::pi / 2.0);
}

void TurnedView::enlarge(double factor) {
    if (factor > 0.0 && std::isfinite(factor)) {
        zoom = std::clamp(zoom * factor, kLeastZoom, kMostZoom);
    }
}

TurnedAxes::TurnedAxes(const TurnedView& view)
    : m_right{std::cos(view.turn), std::sin(view.turn)},
      m_up{std::sin(view.turn) * -std::sin(view.tilt), std::cos(view.turn) * std::sin(view.tilt),
           std::cos(view.tilt)},
      m_near{std::sin(view.turn) * std::cos(view.tilt), -std::cos(view.turn) * std::cos(view.tilt),
             std::sin(view.tilt)} {}

}  // namespace moescope::figures
