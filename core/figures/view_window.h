// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace moescope::figures {

/// Which part of a chart is shown, as fractions of its whole axes: all small multiples of a figure
/// zoom and move together. y runs upwards.
struct ViewWindow {
    double left = 0.0, right = 1.0, bottom = 0.0, top = 1.0;

    [[nodiscard]] bool isWhole() const noexcept;
    /// Shows 1 / factor of what was shown, keeping the point (x, y) of the whole in place; no
    /// more than the whole and no less than `least` of it. Only along x when `onlyX`.
    void zoom(double factor, double x, double y, bool onlyX = false, double least = 1e-4);
    /// Moves by fractions of what is shown, within the whole.
    void move(double dx, double dy);
    bool operator==(const ViewWindow&) const = default;
};

}  // namespace moescope::figures
