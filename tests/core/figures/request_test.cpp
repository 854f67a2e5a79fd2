// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/request.h"

#include "core/base/error.h"
#include "core/figures/colour.h"
#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::figures;

TEST_CASE("findFigure: accepts the usual spellings", "[core][figures]") {
    for (const char* name : {"rank-counts", "rank-count", "rank_counts", "Rank-Counts"}) {
        REQUIRE(findFigure(name) != nullptr);
        CHECK(findFigure(name)->name == "rank-counts");
    }
    CHECK(findFigure("weight-similarities")->name == "weight-similarity");
    CHECK(findFigure("norm-score")->name == "norms-scores");
    CHECK(findFigure("colored-text")->name == "coloured-text");
    CHECK(findFigure("chosen_expert")->name == "chosen-experts");
    CHECK(findFigure("parameter")->name == "parameters");
    CHECK(findFigure("") == nullptr);
    CHECK(findFigure("rank") == nullptr);
}

TEST_CASE("parseColourRange: layer, all, MIN:MAX", "[core][figures]") {
    CHECK(parseColourRange("layer").kind == ColourRange::Kind::Layer);
    CHECK(parseColourRange("all").kind == ColourRange::Kind::AllLayers);
    CHECK(parseColourRange("-0.5:1") == ColourRange{ColourRange::Kind::Fixed, -0.5, 1.0});
    for (const char* bad : {"", "1", "1:0", "0:0", "a:b", "0:nan", "0:1x", ":"}) {
        CHECK_THROWS_AS(parseColourRange(bad), Error);
    }
}

TEST_CASE("parseTokenRange: one, closed and open", "[core][figures]") {
    CHECK(parseTokenRange("17", 64) == TokenRange{17, 1});
    CHECK(parseTokenRange("0-63", 64) == TokenRange{0, 64});
    CHECK(parseTokenRange("60-", 64) == TokenRange{60, 4});
    for (const char* bad : {"", "-3", "5-4", "64", "0-64", "x", "1-2-3", "99999999999999999999"}) {
        CHECK_THROWS_AS(parseTokenRange(bad, 64), Error);
    }
    CHECK_THROWS_AS(parseTokenRange("0", 0), Error);
}

TEST_CASE("parseRankRange: from 1, both included", "[core][figures]") {
    CHECK(parseRankRange("57:64") == RankRange{57, 64});
    CHECK(parseRankRange("3:3") == RankRange{3, 3});
    for (const char* bad : {"", "8", "0:4", "5:4", "-1:3", "1:x", "1:2:3", "1:99999999999"}) {
        CHECK_THROWS_AS(parseRankRange(bad), Error);
    }
}

TEST_CASE("Colour: contrast follows WCAG", "[core][figures]") {
    CHECK(contrastRatio({0, 0, 0}, {255, 255, 255}) == Approx(21.0));
    CHECK(contrastRatio({119, 119, 119}, {255, 255, 255}) == Approx(4.48).margin(0.01));
    for (int i = 0; i < 4096; ++i) {
        const Rgb back{static_cast<std::uint8_t>(i % 16 * 17),
                       static_cast<std::uint8_t>(i / 16 % 16 * 17),
                       static_cast<std::uint8_t>(i / 256 * 17)};
        const Rgb text = prefersBlackText(back) ? Rgb{0, 0, 0} : Rgb{255, 255, 255};
        CHECK(contrastRatio(back, text) >= 4.5);
    }
    CHECK(blend({255, 0, 0}, {0, 0, 255}, 0.0) == Rgb{0, 0, 255});
    CHECK(blend({255, 0, 0}, {0, 0, 255}, 1.0) == Rgb{255, 0, 0});
}

TEST_CASE("ColourScale: positions are clamped", "[core][figures]") {
    const ColourScale scale{ColourMap::Viridis, -1.0, 3.0};
    CHECK(scale.position(-1.0) == 0.0);
    CHECK(scale.position(1.0) == 0.5);
    CHECK(scale.position(99.0) == 1.0);
    CHECK(ColourScale{ColourMap::Viridis, 2.0, 2.0}.position(2.0) == 0.5);
    CHECK(parseColourMap("white-blue") == ColourMap::WhiteBlue);
    CHECK_FALSE(parseColourMap("jet"));
}

TEST_CASE("the catalogue keeps the figures of a subject together", "[core][figures]") {
    for (std::size_t i = 1; i < figureCatalogue().size(); ++i) {
        INFO(figureCatalogue()[i].name);
        CHECK(figureCatalogue()[i - 1].subject <= figureCatalogue()[i].subject);
    }
}
