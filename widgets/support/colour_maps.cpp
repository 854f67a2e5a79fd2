// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/colour_maps.h"

#include "widgets/support/oklab.h"

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

using Table = std::array<QRgb, 256>;

// Every fifth colour of the published tables; between them sRGB is interpolated, which stays within
// 1/255 (viridis, inferno) and 4/255 (cividis) of the full table. viridis and inferno: N. Smith and
// S. van der Walt, CC0. cividis: Nunez, Anderton and Renslow 2018,
// doi 10.1371/journal.pone.0199239, CC0.
using Anchors = std::array<unsigned, 52>;
constexpr Anchors kViridis{
    0x440154, 0x46085c, 0x471063, 0x481769, 0x481d6f, 0x482475, 0x472a7a, 0x46307e, 0x453781,
    0x433d84, 0x414287, 0x3f4889, 0x3d4e8a, 0x3a538b, 0x38598c, 0x355e8d, 0x33638d, 0x31688e,
    0x2e6d8e, 0x2c718e, 0x2a768e, 0x297b8e, 0x27808e, 0x25848e, 0x23898e, 0x218e8d, 0x20928c,
    0x1f978b, 0x1e9c89, 0x1fa188, 0x21a585, 0x24aa83, 0x28ae80, 0x2eb37c, 0x35b779, 0x3dbc74,
    0x46c06f, 0x50c46a, 0x5ac864, 0x65cb5e, 0x70cf57, 0x7cd250, 0x89d548, 0x95d840, 0xa2da37,
    0xb0dd2f, 0xbddf26, 0xcae11f, 0xd8e219, 0xe5e419, 0xf1e51d, 0xfde725};
constexpr Anchors kCividis{
    0x00224e, 0x002656, 0x002a5f, 0x002d68, 0x003070, 0x083370, 0x163770, 0x203a6f, 0x273e6e,
    0x2e416d, 0x34456c, 0x3a486c, 0x3f4c6c, 0x444f6c, 0x49536c, 0x4e566c, 0x535a6d, 0x575d6d,
    0x5c616e, 0x60646f, 0x656870, 0x696b71, 0x6d6f72, 0x727274, 0x767676, 0x7a7a78, 0x7e7d78,
    0x838179, 0x888578, 0x8d8878, 0x928c78, 0x969077, 0x9b9476, 0xa09875, 0xa59c74, 0xaaa073,
    0xafa471, 0xb5a86f, 0xbaac6d, 0xbfb06b, 0xc4b468, 0xc9b965, 0xcfbd62, 0xd4c15f, 0xdac65b,
    0xdfca57, 0xe5cf52, 0xead34c, 0xf0d846, 0xf6dd3f, 0xfce236, 0xfee838};
constexpr Anchors kInferno{
    0x000004, 0x02020c, 0x050417, 0x0a0722, 0x10092d, 0x160b39, 0x1e0c45, 0x260c51, 0x2f0a5b,
    0x380962, 0x400a67, 0x490b6a, 0x510e6c, 0x59106e, 0x61136e, 0x69166e, 0x71196e, 0x781c6d,
    0x801f6c, 0x88226a, 0x902568, 0x982766, 0xa02a63, 0xa82e5f, 0xb0315b, 0xb73557, 0xbf3952,
    0xc63d4d, 0xcc4248, 0xd34743, 0xd94d3d, 0xdf5337, 0xe45a31, 0xe9612b, 0xed6925, 0xf1711f,
    0xf47918, 0xf78212, 0xf98b0b, 0xfa9407, 0xfb9d07, 0xfca60c, 0xfcb014, 0xfbba1f, 0xfac42a,
    0xf8cd37, 0xf6d746, 0xf4e156, 0xf2ea69, 0xf2f27d, 0xf5f992, 0xfcffa4};

Table fromAnchors(const Anchors& anchors) {
    constexpr int kStep = 5;
    Table table{};
    for (int i = 0; i < 256; ++i) {
        const auto segment = static_cast<std::size_t>(std::min(i / kStep, 50));
        const double f = (i - static_cast<int>(segment) * kStep) / double{kStep};
        const QColor a = QColor::fromRgb(anchors[segment]);
        const QColor b = QColor::fromRgb(anchors[segment + 1]);
        const auto mix = [f](int x, int y) {
            return static_cast<int>(std::lround(x * (1 - f) + y * f));
        };
        table[static_cast<std::size_t>(i)] =
            qRgb(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue()));
    }
    return table;
}

// Straight lines in Oklab between evenly spaced colours.
template <std::size_t N>
Table fromOklab(const std::array<unsigned, N>& colours) {
    Table table{};
    for (int i = 0; i < 256; ++i) {
        const double x = i / 255.0 * double{N - 1};
        const std::size_t segment = std::min(static_cast<std::size_t>(x), N - 2);
        const Oklab a = toOklab(QColor::fromRgb(colours[segment]));
        const Oklab b = toOklab(QColor::fromRgb(colours[segment + 1]));
        const double f = x - double(segment);
        table[static_cast<std::size_t>(i)] =
            fromOklab(Oklab{std::lerp(a.l, b.l, f), std::lerp(a.a, b.a, f), std::lerp(a.b, b.b, f)})
                .rgb();
    }
    return table;
}

// The low end is not white: a small weight must differ from "not chosen".
constexpr std::array<unsigned, 4> kWhiteBlueColours{0xe3eef9, 0x8fbfe3, 0x2f7ab9, 0x08306b};
constexpr std::array<unsigned, 2> kGreyColours{0xf4f4f4, 0x101010};
constexpr std::array<unsigned, 5> kDivergingColours{0x1c4c8c, 0x76aad4, 0xf5f5f5, 0xe8907a,
                                                    0x9c1c2e};

std::size_t placeOf(double position) {
    return static_cast<std::size_t>(std::lround(std::clamp(position, 0.0, 1.0) * 255.0));
}

// Its middle lies near a dark background, as the other's near a light one, and its ends stand out.
constexpr std::array<unsigned, 5> kDarkDivergingColours{0xa6d0f5, 0x3d7fc4, 0x3a4047, 0xc4543f,
                                                        0xf7b8a4};

}  // namespace

const Table& colourTable(figures::ColourMap map) {
    static const std::array<Table, 6> kTables{
        fromAnchors(kViridis),   fromAnchors(kCividis),        fromAnchors(kInferno),
        fromOklab(kGreyColours), fromOklab(kWhiteBlueColours), fromOklab(kDivergingColours)};
    return kTables[static_cast<std::size_t>(map)];
}

QColor colourAt(figures::ColourMap map, double position) {
    return QColor::fromRgb(colourTable(map)[placeOf(position)]);
}

QColor colourOn(bool darkBackground, figures::ColourMap map, double position) {
    if (darkBackground && map == figures::ColourMap::Diverging) {
        static const Table kTable = fromOklab(kDarkDivergingColours);
        return QColor::fromRgb(kTable[placeOf(position)]);
    }
    const bool reversed = darkBackground && map == figures::ColourMap::WhiteBlue;
    return colourAt(map, reversed ? 1.0 - position : position);
}

}  // namespace moescope::widgets
