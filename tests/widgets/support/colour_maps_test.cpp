// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/colour_maps.h"

#include "core/figures/colour.h"
#include "tests/support/catch.h"
#include "widgets/support/oklab.h"

using namespace moescope;
using figures::ColourMap;

namespace {

int distance(QRgb a, QRgb b) {
    return std::max({std::abs(qRed(a) - qRed(b)), std::abs(qGreen(a) - qGreen(b)),
                     std::abs(qBlue(a) - qBlue(b))});
}

}  // namespace

TEST_CASE("colourTable: agrees with the published tables", "[widgets][support]") {
    const auto& viridis = widgets::colourTable(ColourMap::Viridis);
    CHECK(distance(viridis[0], 0x440154) == 0);
    CHECK(distance(viridis[77], 0x34608d) <= 1);
    CHECK(distance(viridis[128], 0x21918c) <= 1);
    CHECK(distance(viridis[255], 0xfde725) == 0);
    const auto& inferno = widgets::colourTable(ColourMap::Inferno);
    CHECK(distance(inferno[77], 0x6c186e) <= 1);
    CHECK(distance(inferno[201], 0xfc9f07) <= 1);
    const auto& cividis = widgets::colourTable(ColourMap::Cividis);
    CHECK(distance(cividis[3], 0x002553) <= 4);
    CHECK(distance(cividis[128], 0x7d7c78) <= 4);
    CHECK(distance(cividis[254], 0xfee636) <= 4);
}

TEST_CASE("colourTable: sequential maps change lightness steadily", "[widgets][support]") {
    for (const ColourMap map : {ColourMap::Viridis, ColourMap::Cividis, ColourMap::Inferno,
                                ColourMap::Greys, ColourMap::WhiteBlue}) {
        const auto& table = widgets::colourTable(map);
        const double sign = widgets::toOklab(table[255]).l > widgets::toOklab(table[0]).l ? 1 : -1;
        for (std::size_t i = 8; i < table.size(); i += 8) {
            INFO(figures::name(map) << " at " << i);
            CHECK(sign * (widgets::toOklab(table[i]).l - widgets::toOklab(table[i - 8]).l) > 0);
        }
    }
}

TEST_CASE("colourTable: the diverging map has its lightest colour in the middle",
          "[widgets][support]") {
    const auto& table = widgets::colourTable(ColourMap::Diverging);
    for (std::size_t i = 0; i < table.size(); ++i) {
        CHECK(widgets::toOklab(table[i]).l <= widgets::toOklab(table[127]).l + 0.01);
    }
}

TEST_CASE("colourAt: clamps positions", "[widgets][support]") {
    CHECK(widgets::colourAt(ColourMap::Viridis, -3).rgb() ==
          widgets::colourTable(ColourMap::Viridis)[0]);
    CHECK(widgets::colourAt(ColourMap::Viridis, 7).rgb() ==
          widgets::colourTable(ColourMap::Viridis)[255]);
}

TEST_CASE("Oklab: there and back", "[widgets][support]") {
    for (int i = 0; i < 500; ++i) {
        const QColor colour((i * 37) % 256, (i * 91) % 256, (i * 53) % 256);
        CHECK(distance(widgets::fromOklab(widgets::toOklab(colour)).rgb(), colour.rgb()) <= 1);
    }
}
