// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>

namespace moescope::figures {

/// How a cloud of points in three dimensions is looked at: an orthographic projection after a turn
/// about the vertical axis and a tilt towards the reader. Angles in radians.
struct TurnedView {
    double turn = 0.6;
    double tilt = 0.35;  ///< within a right angle both ways
    double zoom = 1.0;

    void rotate(double byTurn, double byTilt);
    void enlarge(double factor);
    bool operator==(const TurnedView&) const = default;
};

/// The view as a rotation matrix: of a point (x, y, z) with z upwards, how far right, how far up
/// and how near to the reader it is.
struct TurnedAxes {
    explicit TurnedAxes(const TurnedView& view);
    struct Seen {
        double right, up, near;
    };
    [[nodiscard]] Seen see(double x, double y, double z) const {
        return {m_right[0] * x + m_right[1] * y, m_up[0] * x + m_up[1] * y + m_up[2] * z,
                m_near[0] * x + m_near[1] * y + m_near[2] * z};
    }

private:
    std::array<double, 2> m_right;
    std::array<double, 3> m_up, m_near;
};

}  // namespace moescope::figures
