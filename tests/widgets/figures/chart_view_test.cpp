// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Charts in a window: what they say under the cursor, what clicks, wheel, drags and keys do.

#include "tests/support/catch.h"
#include "tests/widgets/figures/made_charts.h"
#include "tests/widgets/figures/made_figures.h"
#include "tests/widgets/figures/shown_figure.h"
#include "widgets/canvas/table_layout.h"
#include "widgets/figures/figure_view.h"

#include <QImage>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

#include <algorithm>
#include <string>
#include <vector>

using namespace moescope;
using tests::Shown;
using widgets::FigureView;

TEST_CASE("Charts in a view: a trend tells its values, goes to layers, hides lines",
          "[widgets][figures]") {
    const auto figure = tests::madeFigure("similarity-trend");
    Shown shown(figure);
    const auto ofLayer3 = [](const figures::Hit& hit) { return hit.layer == LayerId{3}; };
    const QPoint point = shown.find(ofLayer3);
    const auto& panel = std::get<figures::LineChartFigure>(figure->body).groups[0].panels[0];
    const std::string readOut = shown.view.hitAt(point).readOut;
    CHECK(readOut.rfind("weights, gate, layer 3: mean of experts ", 0) == 0);
    CHECK(readOut.find(QString::number(panel.lines[0][3], 'g', 4).toStdString()) !=
          std::string::npos);
    QSignalSpy clicked(&shown.view, &FigureView::layerClicked);
    shown.click(point);
    REQUIRE(clicked.count() == 1);
    CHECK(clicked.first().first().toInt() == 3);
    // The layer of the window is marked.
    QImage before = shown.picture();
    figures::Selection selection;
    selection.layer = LayerId{2};
    shown.view.setSelection(selection);
    CHECK(shown.picture() != before);
    before = shown.picture();
    shown.click(shown.find([](const figures::Hit& hit) {
        return hit.readOut == "experts with F: click to show or hide";
    }));
    CHECK(shown.picture() != before);
    // Zoomed in, fewer layers share the width; a double click shows all again.
    before = shown.picture();
    shown.wheel(point, 4);
    CHECK(shown.picture() != before);
    QTest::mouseDClick(shown.view.viewport(), Qt::LeftButton, Qt::NoModifier, point);
    CHECK(shown.picture() == before);
}

TEST_CASE("Charts in a view: single values beside lines tell what they are and hide",
          "[widgets][figures]") {
    const auto figure = tests::madeFigure("pruning");
    const auto& chart = std::get<figures::LineChartFigure>(figure->body);
    REQUIRE(chart.points.size() == 2);
    const figures::LineChartPoint& three = chart.groups[0].panels[0].points[1];
    Shown shown(figure);
    const auto isThree = [](const figures::Hit& hit) {
        return hit.readOut.rfind("list three, % of experts that go ", 0) == 0;
    };
    const QPoint point = shown.middle(isThree);
    const std::string readOut = shown.view.hitAt(point).readOut;
    CHECK(readOut == "list three, % of experts that go 12.5: loss 2.03 (3 of 24 experts)");
    CHECK(three.x == 12.5);
    const QImage before = shown.picture();
    shown.click(shown.find([](const figures::Hit& hit) {
        return hit.readOut == "list three: click to show or hide";
    }));
    CHECK(shown.picture() != before);
    CHECK_FALSE(isThree(shown.view.hitAt(point)));
}

TEST_CASE("Charts in a view: a scatter chooses experts and pairs, zooms and moves",
          "[widgets][figures]") {
    Shown shown(tests::madeProjection(8));
    QSignalSpy expert(&shown.view, &FigureView::expertClicked);
    const auto isFive = [](const figures::Hit& hit) { return hit.expert == 5 && hit.panel == 1; };
    const QPoint five = shown.middle(isFive);
    CHECK(shown.view.hitAt(five).readOut.rfind("up, expert 5: ", 0) == 0);
    shown.click(five);
    REQUIRE(expert.count() == 1);
    CHECK(expert.first().first().toInt() == 5);
    const QImage before = shown.picture();
    figures::Selection selection;
    selection.expert = 5;
    shown.view.setSelection(selection);
    CHECK(shown.picture() != before);
    shown.wheel(five, 3);
    CHECK(isFive(shown.view.hitAt(five)));  // what is under the cursor stays there
    const QPoint moved = five + QPoint(30, 10);
    expert.clear();
    shown.drag(five, moved);
    CHECK(expert.isEmpty());  // a drag is no click
    CHECK(isFive(shown.view.hitAt(moved)));
    QTest::keyClick(&shown.view, Qt::Key_Home);
    CHECK(isFive(shown.view.hitAt(five)));

    Shown regression(tests::madeRegression(8, 2));
    QSignalSpy pair(&regression.view, &FigureView::pairClicked);
    const auto isPair = [](const figures::Hit& hit) { return hit.row == 6 && hit.column == 2; };
    const QPoint at = regression.find(isPair);
    CHECK(regression.view.hitAt(at).readOut.find("experts 6 and 2") != std::string::npos);
    regression.click(at);
    REQUIRE(pair.count() == 1);
    CHECK(pair.first() == QVariantList{6, 2});
}

TEST_CASE("Charts in a view: a note without room loses whole parts", "[widgets][figures]") {
    const auto withNote = [](const std::string& note) {
        figures::Figure figure = *tests::madeRegression(8, 2);
        std::get<figures::ScatterFigure>(figure.body).panels.front().note = note;
        return std::make_shared<const figures::Figure>(std::move(figure));
    };
    const auto pictureOf = [&](const std::string& note) { return Shown(withNote(note)).picture(); };
    // Half of "0.1234" would be another number.
    const std::string first = "r = 0.12";
    CHECK(pictureOf(first + ", s = 0." + std::string(200, '3')) == pictureOf(first));
    CHECK(pictureOf(first + ", s = 0.3") != pictureOf(first));
    CHECK(pictureOf("r = 0." + std::string(200, '3')) == pictureOf(""));
}

TEST_CASE("Charts in a view: groups of a scatter hide", "[widgets][figures]") {
    Shown shown(tests::madeNeuronCloud(8, 30000));
    const auto isThree = [](const figures::Hit& hit) { return hit.expert == 3; };
    const QPoint three = shown.find(isThree);
    CHECK(shown.view.hitAt(three).readOut.find("expert 3, neuron ") != std::string::npos);
    shown.click(shown.find(
        [](const figures::Hit& hit) { return hit.readOut == "3: click to show or hide"; }));
    CHECK_FALSE(isThree(shown.view.hitAt(three)));
}

TEST_CASE("Charts in a view: a deep scatter turns with mouse and keys", "[widgets][figures]") {
    Shown shown(tests::madeProjection(8, true));
    const auto isFour = [](const figures::Hit& hit) { return hit.expert == 4; };
    const QPoint four = shown.find(isFour);
    const QImage before = shown.picture();
    shown.drag(QPoint(150, 300), QPoint(200, 330));
    const QImage turned = shown.picture();
    CHECK(turned != before);
    shown.drag(QPoint(200, 330), QPoint(150, 300));
    CHECK(isFour(shown.view.hitAt(four)));  // and back
    QTest::keyClick(&shown.view, Qt::Key_Right, Qt::ShiftModifier);
    CHECK(shown.picture() != before);
    QTest::keyClick(&shown.view, Qt::Key_Home);
    CHECK(shown.picture() == before);
    // A layer step keeps the view.
    QTest::keyClick(&shown.view, Qt::Key_Up, Qt::ShiftModifier);
    const QImage up = shown.picture();
    shown.view.setFigure(tests::madeProjection(8, true));
    CHECK(shown.picture() == up);
}

TEST_CASE("Charts in a view: a table sorts by its headings and goes to layers",
          "[widgets][figures]") {
    Shown shown(tests::madeTable(12), {700, 300});
    CHECK(shown.view.verticalScrollBar()->maximum() > 0);
    const auto rowAt = [&](int y) { return shown.view.hitAt(QPointF(40, y)).readOut; };
    const QPoint heading = shown.find(
        [](const figures::Hit& hit) { return hit.readOut == "click a heading to sort"; });
    const int firstRow = heading.y() + 22;
    CHECK(rowAt(firstRow).rfind("layer 0, role gate, ", 0) == 0);
    QSignalSpy layer(&shown.view, &FigureView::layerClicked);
    shown.click(QPoint(40, firstRow));
    REQUIRE(layer.count() == 1);
    const auto figure = tests::madeTable(12);
    const auto& slopes = std::get<figures::TableFigure>(figure->body).columns[3].numbers;
    const double largest = *std::max_element(slopes.begin(), slopes.end() - 3);
    const std::string wanted =
        "slope " +
        QString::number(largest, 'f', widgets::numberFormatOf(slopes).decimals).toStdString();
    // The slope's heading: somewhere on the right of the texts.
    for (int x = 60; x < 400; x += 12) {
        shown.click(QPoint(x, heading.y()));
        if (rowAt(firstRow).find(wanted) != std::string::npos) {
            break;
        }
    }
    CHECK(rowAt(firstRow).find(wanted) != std::string::npos);
}

TEST_CASE("Charts in a view: a table breaks its lines, notes its rows and scrolls by them",
          "[widgets][figures]") {
    tests::MadeSession other;
    other.family = "mixtral";
    const auto figure = tests::madeFigure("reproduction", 0, other);
    const auto& table = std::get<figures::TableFigure>(figure->body);
    Shown wide(figure, {900, 2000});
    CHECK(wide.view.verticalScrollBar()->maximum() == 0);
    Shown narrow(figure, {320, 400});
    QScrollBar& bar = *narrow.view.verticalScrollBar();
    CHECK(bar.maximum() > 0);
    // Every row comes under the cursor, in order, on the way to the end.
    std::vector<std::string> seen;
    for (int step = 0; step <= bar.maximum(); ++step) {
        bar.setValue(step);
        for (int y = 0; y < 400; y += 4) {
            const std::string readOut = narrow.view.hitAt(QPointF(60, y)).readOut;
            if (readOut.rfind("id ", 0) == 0 &&
                std::find(seen.begin(), seen.end(), readOut) == seen.end()) {
                seen.push_back(readOut);
            }
        }
    }
    REQUIRE(seen.size() == table.rows);
    for (std::size_t row = 0; row < table.rows; ++row) {
        CHECK(seen[row].find(table.columns[1].texts[row]) != std::string::npos);
        CHECK(seen[row].find(table.columns[2].texts[row]) != std::string::npos);  // as published
        CHECK(seen[row].find("as published") == std::string::npos);               // in the CSV only
    }
    // Sorted by its first column nothing moves but the headings of sections, which go.
    const QPoint heading =
        wide.find([](const figures::Hit& hit) { return hit.readOut == "click a heading to sort"; });
    const auto firstRow = [&] {
        for (int y = heading.y(); y < 400; ++y) {
            if (wide.view.hitAt(QPointF(60, y)).readOut.rfind("id ", 0) == 0) {
                return y;
            }
        }
        return -1;
    };
    const int below = firstRow();
    wide.click(QPoint(heading.x() + 2, heading.y()));
    CHECK(firstRow() < below);
    wide.click(QPoint(heading.x() + 2, heading.y()));
    wide.click(QPoint(heading.x() + 2, heading.y()));
    CHECK(firstRow() == below);
}

TEST_CASE("Charts in a view: intermediate states zoom down to single neurons",
          "[widgets][figures]") {
    const auto figure = tests::madeNeuronMap(8, 4096, 1);
    Shown shown(figure);
    const auto isExpert = [](const figures::Hit& hit) { return hit.expert == 4; };
    const QPoint point = shown.find(isExpert) + QPoint(150, 2);
    const std::string coarse = shown.view.hitAt(point).readOut;
    CHECK(coarse.rfind("expert 4, neurons ", 0) == 0);
    shown.wheel(point, 30);
    const std::string fine = shown.view.hitAt(point).readOut;
    REQUIRE(fine.rfind("expert 4, neuron ", 0) == 0);
    const auto neuron = static_cast<std::size_t>(std::stoul(fine.substr(17)));
    const auto& values = std::get<figures::NeuronMapFigure>(figure->body).panels[0].values;
    const QString value = QString::number(static_cast<double>(values.at(4, neuron)), 'g', 4)
                              .replace(QLatin1Char('-'), QChar(0x2212));
    CHECK(fine.find(value.toStdString()) != std::string::npos);
    QSignalSpy expert(&shown.view, &FigureView::expertClicked);
    shown.click(point);
    CHECK(expert.count() == 1);
}

TEST_CASE("Charts in a view: several tokens share their axes", "[widgets][figures]") {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(tests::MadeSession{}));
    figures::FigureRequest request;
    request.figure = "norms-scores";
    request.layer = LayerId{2};
    request.tokens = figures::TokenRange{10, 6};
    const auto figure = std::make_shared<const figures::Figure>(builder.build(request));
    Shown shown(figure);
    const QPoint point = shown.find(
        [](const figures::Hit& hit) { return hit.token == std::uint64_t{13} && hit.expert == 2; });
    const auto& panel = std::get<figures::PairedBarsFigure>(figure->body).panels[3];
    CHECK(panel.token == 13);
    CHECK(
        shown.view.hitAt(point).readOut.find(
            "norm " + QString::number(static_cast<double>(panel.norms[2]), 'g', 4).toStdString()) !=
        std::string::npos);
}
