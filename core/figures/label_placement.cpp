// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/label_placement.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moescope::figures {
namespace {

constexpr double kGap = 2.0;
constexpr double kDigitHeight = 0.78;  // of a line: digits and capitals
constexpr int kRings = 5;
constexpr double kRingStep = 9.0;
constexpr int kDirections = 12;

bool overlaps(const Rect& a, const Rect& b) {
    return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

bool isInside(const Rect& inner, const Rect& outer) {
    return inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() &&
           inner.bottom() <= outer.bottom();
}

/// The box of a label of this size in a direction from its mark, its edge `distance` away.
Rect boxAt(const LabelRequest& label, double width, double height, double angle, double distance) {
    const double dx = std::cos(angle);
    const double dy = -std::sin(angle);  // y runs downwards
    const double x = label.x + dx * (distance + width / 2.0);
    const double y = label.y + dy * (distance + height / 2.0);
    return {x - width / 2.0, y - height / 2.0, width, height};
}

}  // namespace

std::vector<LabelPlace> placeLabels(const std::vector<LabelRequest>& labels, const Rect& area,
                                    double markRadius, const TextMetrics& text) {
    std::vector<Rect> marks;
    for (const LabelRequest& label : labels) {
        marks.push_back(
            {label.x - markRadius, label.y - markRadius, 2.0 * markRadius, 2.0 * markRadius});
    }
    std::vector<Rect> taken;
    std::vector<LabelPlace> places;
    const auto isFree = [&](const Rect& box) {
        const auto hits = [&](const Rect& other) { return overlaps(box, other); };
        return isInside(box, area) && std::none_of(taken.begin(), taken.end(), hits) &&
               std::none_of(marks.begin(), marks.end(), hits);
    };
    for (const LabelRequest& label : labels) {
        LabelPlace place;
        const double width = text.width(label.text) + 1.0;
        const double height = text.lineHeight * kDigitHeight;
        const bool isShown =
            std::isfinite(label.x) && std::isfinite(label.y) && !label.text.empty();
        for (int ring = 0; isShown && ring < kRings && place.box.width == 0.0; ++ring) {
            for (int i = 0; i < kDirections; ++i) {
                // From the right, alternately upwards and downwards.
                const int turn = i % 2 == 0 ? i / 2 : -(i / 2 + 1);
                const Rect box =
                    boxAt(label, width, height, turn * 2.0 * std::numbers::pi / kDirections,
                          markRadius + kGap + ring * kRingStep);
                if (isFree(box)) {
                    place = {box, ring > 0};
                    taken.push_back(box);
                    break;
                }
            }
        }
        places.push_back(place);
    }
    return places;
}

}  // namespace moescope::figures
