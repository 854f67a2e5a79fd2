// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/state/figure_cache.h"

#include "tests/support/catch.h"

using namespace moescope;
using namespace moescope::widgets;

namespace {

FigurePointer figureOf(std::size_t cells) {
    figures::HeatMapFigure body;
    body.panels.resize(1);
    body.panels[0].matrix.values.resize(cells);
    auto figure = std::make_shared<figures::Figure>();
    figure->body = body;
    return figure;
}

FigureKey keyOf(int session, int layer) {
    FigureKey key{session, 0, {}};
    key.request.figure = "rank-counts";
    key.request.layer = LayerId{layer};
    return key;
}

}  // namespace

TEST_CASE("FigureCache: finds exactly what was asked for", "[widgets][state]") {
    FigureCache cache;
    const FigurePointer figure = figureOf(4);
    cache.insert(keyOf(1, 3), figure);
    CHECK(cache.find(keyOf(1, 3)) == figure);
    CHECK(cache.find(keyOf(1, 4)) == nullptr);
    CHECK(cache.find(keyOf(2, 3)) == nullptr);
    FigureKey other = keyOf(1, 3);
    other.request.relative = true;
    CHECK(cache.find(other) == nullptr);
    other = keyOf(1, 3);
    other.revision = 1;
    CHECK(cache.find(other) == nullptr);
}

TEST_CASE("FigureCache: the least used go first and the bytes stay bounded", "[widgets][state]") {
    const std::size_t one = estimatedBytes(*figureOf(1000));
    FigureCache cache(3 * one);
    for (int layer = 0; layer < 3; ++layer) {
        cache.insert(keyOf(1, layer), figureOf(1000));
    }
    CHECK(cache.find(keyOf(1, 0)) != nullptr);
    cache.insert(keyOf(1, 3), figureOf(1000));
    CHECK(cache.bytes() <= 3 * one);
    CHECK(cache.find(keyOf(1, 1)) == nullptr);
    CHECK(cache.find(keyOf(1, 0)) != nullptr);
    cache.insert(keyOf(1, 3), figureOf(10));
    CHECK(cache.count() == 3);
}

TEST_CASE("FigureCache: tables count with their texts and numbers", "[widgets][state]") {
    constexpr std::size_t kRows = 10'000;
    const std::string long_(100, 'x');
    figures::TableFigure table;
    table.columns = {
        {"text", figures::TableColumn::Kind::Text, std::vector<std::string>(kRows, long_), {}},
        {"number", figures::TableColumn::Kind::Number, {}, std::vector<double>(kRows)}};
    table.rows = kRows;
    figures::Figure figure;
    figure.body = table;
    const std::size_t bytes = kRows * (sizeof(std::string) + 101 + sizeof(double));
    CHECK(estimatedBytes(figure) >= bytes);
    CHECK(estimatedBytes(figure) < bytes + bytes / 10);
    figures::ExpertCardFigure card;
    card.sections.resize(2);
    card.sections[0].rows.assign(kRows, {.label = "expert 1"});
    figure.body = card;
    CHECK(estimatedBytes(figure) >= kRows * sizeof(figures::CardRow));
}

TEST_CASE("FigureCache: forgets a session and nothing else", "[widgets][state]") {
    FigureCache cache;
    cache.insert(keyOf(1, 0), figureOf(10));
    cache.insert(keyOf(2, 0), figureOf(10));
    cache.forgetSession(1);
    CHECK(cache.find(keyOf(1, 0)) == nullptr);
    CHECK(cache.find(keyOf(2, 0)) != nullptr);
    CHECK(cache.bytes() == estimatedBytes(*figureOf(10)));
}
