// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/view_window.h"

#include <algorithm>
#include <cmath>

namespace moescope::figures {
namespace {

void zoomAlong(double& low, double& high, double factor, double at, double least) {
    const double old = high - low;
    const double span = std::clamp(old / factor, least, 1.0);
    const double share = std::clamp((at - low) / old, 0.0, 1.0);
    low = std::clamp(low + share * (old - span), 0.0, 1.0 - span);
    high = low + span;
}

void moveAlong(double& low, double& high, double by) {
    const double span = high - low;
    low = std::clamp(low + by * span, 0.0, 1.0 - span);
    high = low + span;
}

}  // namespace

bool ViewWindow::isWhole() const noexcept {
    return *this == ViewWindow{};
}

void ViewWindow::zoom(double factor, double x, double y, bool onlyX, double least) {
    if (!(factor > 0.0) || !std::isfinite(factor)) {
        return;
    }
    zoomAlong(left, right, factor, x, least);
    if (!onlyX) {
        zoomAlong(bottom, top, factor, y, least);
    }
}

void ViewWindow::move(double dx, double dy) {
    moveAlong(left, right, dx);
    moveAlong(bottom, top, dy);
}

}  // namespace moescope::figures
