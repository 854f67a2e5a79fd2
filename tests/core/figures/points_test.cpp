// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// What scatters and neuron maps are drawn with: nearest points, labels, peaks, turned views.

#include "core/figures/label_placement.h"
#include "core/figures/nearest_point.h"
#include "core/figures/peaks.h"
#include "core/figures/turned_view.h"
#include "tests/support/catch.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

using namespace moescope::figures;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const TextMetrics kText{14.0, [](std::string_view text) { return 6.0 * double(text.size()); }};

bool overlap(const Rect& a, const Rect& b) {
    return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

}  // namespace

TEST_CASE("nearestPoint: within an ellipse, of the wanted ones, never one that is no number",
          "[core][figures]") {
    const std::vector<float> x{0.0F, 1.0F, kNaN, 1.2F, 5.0F};
    const std::vector<float> y{0.0F, 1.0F, 1.1F, 1.0F, kNaN};
    const auto any = [](std::size_t) { return true; };
    CHECK(nearestPoint(x, y, 1.05, 1.0, 0.5, 0.5, any) == 1U);
    CHECK(nearestPoint(x, y, 1.15, 1.0, 0.5, 0.5, any) == 3U);
    CHECK(nearestPoint(x, y, 1.15, 1.0, 0.5, 0.5, [](std::size_t i) { return i != 3; }) == 1U);
    // Wide and flat: what lies beside is nearer than what lies above.
    CHECK(nearestPoint(x, y, 0.9, 0.1, 1.0, 0.2, any) == std::nullopt);
    CHECK(nearestPoint(x, y, 0.5, 0.1, 1.0, 0.2, any) == 0U);
    CHECK(nearestPoint(x, y, 5.0, 1.0, 0.5, 0.5, any) == std::nullopt);
    CHECK(nearestPoint(x, y, 0.0, 0.0, 0.0, 1.0, any) == std::nullopt);
    CHECK(nearestPoint({}, {}, 0.0, 0.0, 1.0, 1.0, any) == std::nullopt);
}

TEST_CASE("boxOf: encloses the points whose coordinates are both numbers", "[core][figures]") {
    const std::vector<float> x{1.0F, -2.0F, kNaN, 9.0F, 0.5F};
    const std::vector<float> y{3.0F, 4.0F, 8.0F, kNaN, -1.0F};
    const PointBox box = boxOf(x, y);
    CHECK_FALSE(box.isEmpty);
    CHECK(box.lowX == -2.0);
    CHECK(box.highX == 1.0);
    CHECK(box.lowY == -1.0);
    CHECK(box.highY == 4.0);
    CHECK(boxOf(std::vector<float>{kNaN}, std::vector<float>{1.0F}).isEmpty);
    CHECK(boxOf({}, {}).isEmpty);
}

TEST_CASE("placeLabels: labels cover neither each other nor a mark", "[core][figures]") {
    std::mt19937 random(2);
    const Rect area{10.0, 10.0, 300.0, 220.0};
    for (const int count : {1, 9, 65}) {
        std::uniform_real_distribution<double> across(area.x + 3, area.right() - 3);
        std::uniform_real_distribution<double> down(area.y + 3, area.bottom() - 3);
        std::vector<LabelRequest> wanted;
        for (int i = 0; i < count; ++i) {
            wanted.push_back({across(random), down(random), std::to_string(i)});
        }
        const auto places = placeLabels(wanted, area, 2.5, kText);
        REQUIRE(places.size() == wanted.size());
        int drawn = 0;
        for (std::size_t i = 0; i < places.size(); ++i) {
            const Rect& box = places[i].box;
            if (box.width == 0.0) {
                continue;
            }
            ++drawn;
            CHECK(box.x >= area.x);
            CHECK(box.right() <= area.right());
            CHECK(box.y >= area.y);
            CHECK(box.bottom() <= area.bottom());
            for (std::size_t j = 0; j < places.size(); ++j) {
                const Rect mark{wanted[j].x - 2.5, wanted[j].y - 2.5, 5.0, 5.0};
                CHECK_FALSE(overlap(box, mark));
                CHECK_FALSE((j != i && overlap(box, places[j].box)));
            }
        }
        CHECK(drawn == count);
    }
    // Nowhere to go: left out, not drawn over others.
    const std::vector<LabelRequest> crowd(40, LabelRequest{20.0, 20.0, "12345"});
    const auto places = placeLabels(crowd, {0, 0, 60, 60}, 2.5, kText);
    CHECK(places.front().box.width > 0.0);
    CHECK(places.back().box.width == 0.0);
}

TEST_CASE("peaksOf: every value is seen at any size", "[core][figures]") {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::vector<float> values(1409);
    for (float& value : values) {
        value = normal(random);
    }
    values[700] = -9.0F;
    values[3] = kNaN;
    for (const std::size_t pixels : {1U, 7U, 300U, 1409U, 4000U}) {
        const auto peaks = peaksOf(values, 0.0, 1409.0, pixels);
        REQUIRE(peaks.size() == pixels);
        INFO(pixels << " pixels");
        CHECK(std::count(peaks.begin(), peaks.end(), -9.0F) >= 1);
        for (std::size_t p = 0; pixels <= values.size() && p < pixels; ++p) {
            CHECK((std::isnan(peaks[p]) ||
                   std::find(values.begin(), values.end(), peaks[p]) != values.end()));
        }
    }
    // Zoomed in on single neurons each fills its pixels.
    const auto zoomed = peaksOf(values, 699.0, 702.0, 30);
    CHECK(zoomed[4] == values[699]);
    CHECK(zoomed[15] == -9.0F);
    CHECK(zoomed[25] == values[701]);
    CHECK(std::isnan(peaksOf(values, 3.0, 4.0, 1).front()));
    CHECK(peakOf(std::span(values).subspan(690, 20)).index == 10);
}

TEST_CASE("TurnedView: a turn keeps lengths and comes round", "[core][figures]") {
    std::mt19937 random(4);
    std::uniform_real_distribution<double> some(-3.0, 3.0);
    for (int i = 0; i < 100; ++i) {
        TurnedView view;
        view.rotate(some(random), some(random));
        const TurnedAxes axes(view);
        const double x = some(random);
        const double y = some(random);
        const double z = some(random);
        const auto seen = axes.see(x, y, z);
        CHECK(std::hypot(seen.right, seen.up, seen.near) == Approx(std::hypot(x, y, z)));
    }
    TurnedView front;
    front.turn = 0.0;
    front.tilt = 0.0;
    const auto seen = TurnedAxes(front).see(1.0, 2.0, 3.0);
    CHECK(seen.right == Approx(1.0));
    CHECK(seen.up == Approx(3.0));
    CHECK(seen.near == Approx(-2.0));
    // A turn to the side brings the y axis to where x was; more tilt shows the top.
    front.rotate(std::numbers::pi / 2.0, 0.0);
    CHECK(TurnedAxes(front).see(0.0, 1.0, 0.0).right == Approx(1.0));
    front.rotate(0.0, 99.0);
    CHECK(front.tilt == Approx(std::numbers::pi / 2.0));
    CHECK(TurnedAxes(front).see(0.0, 0.0, 1.0).near == Approx(1.0));
    front.enlarge(1e9);
    CHECK(front.zoom == 50.0);
}
