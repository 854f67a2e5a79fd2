// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Bars in a window: what they say, what a click selects, what the legend hides, and that many bars
// go on in further rows.

#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/support/catch.h"
#include "tests/widgets/figures/shown_figure.h"
#include "widgets/figures/figure_painter.h"
#include "widgets/figures/figure_view.h"

#include <QImage>
#include <QSignalSpy>
#include <QTest>

#include <set>
#include <string>

using namespace moescope;
using tests::Shown;
using widgets::FigureView;

namespace {

std::shared_ptr<const figures::Figure> domainBars() {
    const auto source = std::make_shared<tests::MadeSource>(tests::MadeSession{.documents = 4});
    source->head().corpus.domains = {"prose", "code"};
    source->head().corpus.domainOf = {0, 1, 0, 1};
    figures::FigureRequest request;
    request.figure = "domain-share-bars";
    request.layer = LayerId{2};
    return std::make_shared<const figures::Figure>(figures::FigureBuilder(source).build(request));
}

std::shared_ptr<const figures::Figure> manyBars(int experts, int series) {
    figures::BarChartFigure body;
    body.categoryTitle = "expert";
    body.valueName = "share";
    figures::BarChartPanel panel;
    for (int s = 0; s < series; ++s) {
        body.series.push_back("domain " + std::to_string(s));
        panel.bars.emplace_back(static_cast<std::size_t>(experts), 0.1 * (s + 1));
    }
    for (int e = 0; e < experts; ++e) {
        body.categories.push_back(std::to_string(e));
    }
    body.panels.push_back(std::move(panel));
    auto figure = std::make_shared<figures::Figure>();
    figure->body = std::move(body);
    return figure;
}

/// The height at which points of this expert begin.
int topOf(const Shown& shown, int expert) {
    return shown.find([&](const figures::Hit& hit) { return hit.expert == expert; }).y();
}

}  // namespace

TEST_CASE("Bars in a view: a bar tells its value, a click selects its expert",
          "[widgets][figures]") {
    const auto figure = domainBars();
    const auto& body = std::get<figures::BarChartFigure>(figure->body);
    Shown shown(figure);
    const std::string start = "first choice, expert 5, " + body.series[0] + ": ";
    const QPoint point =
        shown.find([&](const figures::Hit& hit) { return hit.readOut.rfind(start, 0) == 0; });
    const std::string readOut = shown.view.hitAt(point).readOut;
    CHECK(readOut.find(QString::number(body.panels[0].bars[0][5], 'g', 4).toStdString()) !=
          std::string::npos);
    CHECK(readOut.find("even spread 0.125") != std::string::npos);
    QSignalSpy clicked(&shown.view, &FigureView::expertClicked);
    shown.click(point);
    REQUIRE(clicked.count() == 1);
    CHECK(clicked.first().first().toInt() == 5);
    // The window's expert is outlined.
    QImage before = shown.picture();
    figures::Selection selection;
    selection.expert = 5;
    shown.view.setSelection(selection);
    CHECK(shown.picture() != before);
    // A series that is hidden has no bars, and the others become wider.
    before = shown.picture();
    const std::string entry = body.series[0] + ": click to show or hide";
    shown.click(shown.find([&](const figures::Hit& hit) { return hit.readOut == entry; }));
    CHECK(shown.picture() != before);
    CHECK(shown.view.hitAt(point).readOut.rfind(start, 0) != 0);
}

TEST_CASE("Bars: where there are too many for the width, further rows take them",
          "[widgets][figures]") {
    const auto heightOf = [](int experts) {
        widgets::FigurePainter painter(
            manyBars(experts, 9), widgets::FigureStyle::forExport(widgets::Theme::light()), {});
        painter.layout(650.0);
        return painter.size().height();
    };
    CHECK(heightOf(64) > 1.5 * heightOf(16));
    CHECK(heightOf(256) > 1.5 * heightOf(64));
    Shown shown(manyBars(64, 9), {900, 600});
    CHECK(topOf(shown, 63) > topOf(shown, 0) + 60);
    // Every expert can be reached.
    std::set<int> seen;
    for (int y = 0; y < 600; y += 4) {
        for (int x = 0; x < 900; x += 4) {
            seen.insert(shown.view.hitAt(QPointF(x, y)).expert.value_or(-1));
        }
    }
    seen.erase(-1);
    CHECK(seen.size() == 64);
}
