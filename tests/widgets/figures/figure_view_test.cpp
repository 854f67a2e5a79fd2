// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figures/figure_view.h"

#include "tests/support/catch.h"
#include "tests/widgets/figures/made_charts.h"
#include "tests/widgets/figures/made_figures.h"
#include "tests/widgets/figures/shown_figure.h"
#include "widgets/support/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QElapsedTimer>
#include <QMimeData>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

#include <iostream>

using namespace moescope;
using tests::Shown;
using widgets::FigureView;

TEST_CASE("FigureView: a similarity map answers hover and click", "[widgets][figures]") {
    const auto figure = tests::madeFigure("weight-similarity");
    Shown shown(figure);
    const QPoint point = shown.find(
        [](const figures::Hit& hit) { return hit.panel == 1 && hit.row == 2 && hit.column == 5; });
    QSignalSpy hovered(&shown.view, &FigureView::hovered);
    QTest::mouseMove(shown.view.viewport(), point);
    REQUIRE(hovered.count() >= 1);
    const auto value = static_cast<double>(
        std::get<figures::HeatMapFigure>(figure->body).panels[1].matrix.at(2, 5));
    CHECK(hovered.last().at(0).toString() ==
          QStringLiteral("up, experts 2 and 5: %1").arg(value, 0, 'g', 4));
    QSignalSpy clicked(&shown.view, &FigureView::pairClicked);
    shown.click(point);
    REQUIRE(clicked.count() == 1);
    CHECK(clicked.first() == QVariantList{2, 5});
    CHECK(shown.view.hitAt(QPointF(-5, -5)).isEmpty());
    CHECK(shown.view.accessibleName().contains(QStringLiteral("weight similarity")));
}

TEST_CASE("FigureView: a click on a small multiple of layers goes there", "[widgets][figures]") {
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(tests::MadeSession{}));
    figures::FigureRequest request;
    request.figure = "mean-neuron-similarity";
    Shown shown(std::make_shared<const figures::Figure>(builder.build(request)));
    QSignalSpy clicked(&shown.view, &FigureView::layerClicked);
    shown.click(shown.find([](const figures::Hit& hit) { return hit.layer == LayerId{3}; }));
    REQUIRE(clicked.count() == 1);
    CHECK(clicked.first().first().toInt() == 3);
}

TEST_CASE("FigureView: bars say their counts and the legend hides them", "[widgets][figures]") {
    const auto figure = tests::madeFigure("rank-counts");
    Shown shown(figure);
    const auto isBar = [](const figures::Hit& hit) { return hit.row == 7 && hit.column == 7; };
    const QPoint bar = shown.find(isBar);
    const auto& panel = std::get<figures::GroupedBarsFigure>(figure->body).panels[0];
    CHECK(shown.view.hitAt(bar).readOut.find(
              "score rank 8, norm rank 8: " + std::to_string(panel.count(7, 7)) + " tokens") !=
          std::string::npos);
    const QImage before = shown.view.grab().toImage();
    shown.click(shown.find(
        [](const figures::Hit& hit) { return hit.readOut.rfind("score rank 8: click", 0) == 0; }));
    CHECK(shown.view.grab().toImage() != before);
    CHECK_FALSE(isBar(shown.view.hitAt(bar)));
    // A layer step keeps what is hidden.
    shown.view.setFigure(tests::madeFigure("rank-counts", 3));
    CHECK_FALSE(isBar(shown.view.hitAt(bar)));
}

TEST_CASE("FigureView: tokens are clicked, dragged over and stepped", "[widgets][figures]") {
    Shown shown(tests::madeFigure("coloured-text"));
    QSignalSpy clicked(&shown.view, &FigureView::tokenClicked);
    const auto pointOf = [&](std::uint64_t token) {
        return shown.find([token](const figures::Hit& hit) { return hit.token == token; });
    };
    shown.click(pointOf(17));
    REQUIRE(clicked.count() == 1);
    CHECK(clicked.last().first().toULongLong() == 17);
    figures::Selection selection;
    selection.token = 17;
    shown.view.setSelection(selection);
    QTest::keyClick(&shown.view, Qt::Key_Right);
    REQUIRE(clicked.count() == 2);
    CHECK(clicked.last().first().toULongLong() == 18);
    QTest::keyClick(&shown.view, Qt::Key_Left);
    CHECK(clicked.last().first().toULongLong() == 17);
    QSignalSpy dragged(&shown.view, &FigureView::tokenRangeSelected);
    QTest::mousePress(shown.view.viewport(), Qt::LeftButton, Qt::NoModifier, pointOf(4));
    const QPoint end = pointOf(9);
    QMouseEvent move(QEvent::MouseMove, QPointF(end), QPointF(shown.view.mapToGlobal(end)),
                     Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(shown.view.viewport(), &move);
    QTest::mouseRelease(shown.view.viewport(), Qt::LeftButton, Qt::NoModifier, end);
    REQUIRE(dragged.count() == 1);
    CHECK(dragged.first().at(0).toULongLong() == 4);
    CHECK(dragged.first().at(1).toULongLong() == 6);
    QSignalSpy expert(&shown.view, &FigureView::expertClicked);
    shown.click(shown.find([](const figures::Hit& hit) { return hit.expert == 3 && !hit.token; }));
    CHECK(expert.count() == 1);
}

TEST_CASE("FigureView: a routing map gives token and expert", "[widgets][figures]") {
    const auto figure = tests::madeFigure("chosen-experts");
    Shown shown(figure);
    QSignalSpy token(&shown.view, &FigureView::tokenClicked);
    QSignalSpy expert(&shown.view, &FigureView::expertClicked);
    const QPoint point = shown.find(
        [](const figures::Hit& hit) { return hit.token == std::uint64_t{9} && hit.expert == 6; });
    shown.click(point);
    CHECK(token.last().first().toULongLong() == 9);
    CHECK(expert.last().first().toInt() == 6);
    const auto& routing = *std::get<figures::RoutingMapFigure>(figure->body).routing;
    CHECK(shown.view.hitAt(point).readOut.find("expert " + std::to_string(routing.id(9, 1))) !=
          std::string::npos);
}

TEST_CASE("FigureView: one token's bars give the expert only", "[widgets][figures]") {
    Shown shown(tests::madeFigure("norms-scores"));
    QSignalSpy token(&shown.view, &FigureView::tokenClicked);
    QSignalSpy expert(&shown.view, &FigureView::expertClicked);
    shown.click(shown.find([](const figures::Hit& hit) { return hit.expert == 5; }));
    CHECK(expert.count() == 1);
    CHECK(token.isEmpty());
}

TEST_CASE("FigureView: bars stay where they were drawn", "[widgets][figures]") {
    tests::MadeSession many;
    many.experts = 64;
    Shown shown(tests::madeFigure("norms-scores", 2, many));
    QTest::qWait(50);  // QCustomPlot has replotted itself by now
    const QImage plain = shown.view.grab().toImage();
    const auto middleOf = [&](int expert) {
        figures::Selection selection;
        selection.expert = expert;
        shown.view.setSelection(selection);
        const QImage outlined = shown.view.grab().toImage();
        int left = plain.width();
        int right = -1;
        for (int x = 0; x < plain.width(); ++x) {
            if (plain.pixel(x, 200) != outlined.pixel(x, 200)) {
                left = std::min(left, x);
                right = std::max(right, x);
            }
        }
        return (left + right) / 2.0;
    };
    CHECK(middleOf(0) < 100.0);
    CHECK(middleOf(63) > shown.view.viewport()->width() - 120.0);
    CHECK(shown.view.hitAt(QPointF(middleOf(48), 200)).expert == 48);
}

TEST_CASE("FigureView: long texts scroll, and a token is brought into view", "[widgets][figures]") {
    tests::MadeSession lengthy;
    lengthy.tokens = 20000;
    lengthy.layers = 3;
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(lengthy));
    for (const char* name : {"coloured-text", "chosen-experts"}) {
        const auto figureOf = [&](int layer) {
            figures::FigureRequest request;
            request.figure = name;
            request.layer = LayerId{layer};
            return std::make_shared<const figures::Figure>(builder.build(request));
        };
        Shown shown(figureOf(2));
        INFO(name);
        CHECK(shown.view.verticalScrollBar()->maximum() > 0);
        const auto isShown = [&](std::uint64_t token) {
            for (int y = 2; y < shown.view.viewport()->height(); y += 3) {
                for (int x = 2; x < shown.view.viewport()->width(); x += 3) {
                    if (shown.view.hitAt(QPointF(x, y)).token == token) {
                        return true;
                    }
                }
            }
            return false;
        };
        CHECK_FALSE(isShown(15000));
        shown.view.ensureTokenVisible(15000);
        CHECK(isShown(15000));
        const int position = shown.view.verticalScrollBar()->value();
        shown.view.setFigure(figureOf(1));
        CHECK(shown.view.verticalScrollBar()->value() == position);
    }
}

TEST_CASE("FigureView: the scroll bar comes and goes with what there is to scroll",
          "[widgets][figures]") {
    Shown shown(tests::madeFigure("weight-similarity"), {500, 300});
    const QScrollBar& bar = *shown.view.verticalScrollBar();
    CHECK_FALSE(bar.isVisible());
    shown.view.setFigure(tests::madeFigure("parameters"));
    QTest::qWait(1);
    REQUIRE(bar.maximum() > 0);
    CHECK(bar.isVisible());
    CHECK(shown.view.viewport()->width() + bar.width() <= shown.view.width());
    shown.view.resize(shown.view.width(), 1500);
    QTest::qWait(1);
    CHECK(bar.maximum() == 0);
    CHECK_FALSE(bar.isVisible());
    shown.view.resize(shown.view.width(), 300);
    QTest::qWait(1);
    CHECK(bar.isVisible());
    shown.view.setFigure(tests::madeFigure("weight-similarity"));
    QTest::qWait(1);
    CHECK_FALSE(bar.isVisible());
}

TEST_CASE("FigureView: Ctrl+wheel changes the size of tokens", "[widgets][figures]") {
    tests::MadeSession lengthy;
    lengthy.tokens = 5000;
    Shown shown(tests::madeFigure("chosen-experts", 2, lengthy));
    const int before = shown.view.verticalScrollBar()->maximum();
    for (int i = 0; i < 5; ++i) {
        QWheelEvent wheel(QPointF(200, 200), shown.view.mapToGlobal(QPointF(200, 200)), {},
                          QPoint(0, -120), Qt::NoButton, Qt::ControlModifier, Qt::NoScrollPhase,
                          false);
        QApplication::sendEvent(shown.view.viewport(), &wheel);
    }
    CHECK(shown.view.verticalScrollBar()->maximum() < before);
    CHECK_FALSE(shown.view.grab().isNull());
}

TEST_CASE("FigureView: follows the palette", "[widgets][figures]") {
    Shown shown(tests::madeFigure("rank-counts"));
    shown.view.setPalette(widgets::darkPalette());
    CHECK(shown.view.grab().toImage().pixelColor(2, 2).lightness() < 60);
    shown.view.setPalette(widgets::lightPalette());
    CHECK(shown.view.grab().toImage().pixelColor(2, 2).lightness() > 200);
}

TEST_CASE("FigureView: selection is outlined", "[widgets][figures]") {
    Shown shown(tests::madeFigure("output-similarity"));
    const QImage before = shown.view.grab().toImage();
    figures::Selection selection;
    selection.pairRow = 1;
    selection.pairColumn = 4;
    shown.view.setSelection(selection);
    CHECK(shown.view.grab().toImage() != before);
}

TEST_CASE("FigureView: nothing, notices and tiny sizes are drawn", "[widgets][figures]") {
    Shown shown(nullptr);
    CHECK(shown.view.hitAt(QPointF(10, 10)).isEmpty());
    shown.view.setFigure(tests::madeFigure("rank-counts", 0));
    CHECK(std::holds_alternative<figures::NoticeFigure>(shown.view.figure()->body));
    for (const char* name : {"weight-similarity", "norms-scores", "rank-counts", "chosen-experts",
                             "coloured-text", "parameters"}) {
        shown.view.setFigure(tests::madeFigure(name));
        for (const QSize size : {QSize(1, 1), QSize(160, 80), QSize(3000, 90), QSize(90, 2000)}) {
            shown.view.setMinimumSize(1, 1);
            shown.view.resize(size);
            CHECK_FALSE(shown.view.grab().isNull());
        }
    }
    for (const auto& figure :
         {tests::madeFigure("similarity-trend"), tests::madeProjection(8),
          tests::madeProjection(64, true), tests::madeNeuronCloud(64, 25000),
          tests::madeRegression(8, 4), tests::madeTable(8), tests::madeNeuronMap(64, 300, 3)}) {
        shown.view.setFigure(figure);
        for (const QSize size : {QSize(1, 1), QSize(160, 80), QSize(3000, 90), QSize(90, 2000)}) {
            shown.view.resize(size);
            CHECK_FALSE(shown.view.grab().isNull());
        }
    }
    // Nothing in them.
    for (const figures::FigureBody& body : {figures::FigureBody(figures::ScatterFigure{}),
                                            figures::FigureBody(figures::TableFigure{}),
                                            figures::FigureBody(figures::NeuronMapFigure{})}) {
        auto figure = std::make_shared<figures::Figure>();
        figure->body = body;
        shown.view.setFigure(figure);
        CHECK_FALSE(shown.view.grab().isNull());
    }
}

TEST_CASE("FigureView: copies picture, drawing and numbers", "[widgets][figures]") {
    Shown shown(tests::madeFigure("rank-counts"));
    shown.view.copyToClipboard();
    const QMimeData* data = QApplication::clipboard()->mimeData();
    REQUIRE(data != nullptr);
    CHECK(data->hasImage());
    CHECK(data->text().contains(QStringLiteral("score_rank")));
}

TEST_CASE("FigureView: time of a layer step, printed", "[widgets][figures]") {
    tests::MadeSession lengthy;
    lengthy.tokens = 1000000;
    lengthy.layers = 2;
    lengthy.experts = 8;
    const figures::FigureBuilder builder(std::make_shared<tests::MadeSource>(lengthy));
    figures::FigureRequest request;
    request.layer = LayerId{1};
    request.figure = "coloured-text";
    const auto text = std::make_shared<const figures::Figure>(builder.build(request));
    request.figure = "chosen-experts";
    const auto map = std::make_shared<const figures::Figure>(builder.build(request));
    tests::MadeSession wide;
    wide.experts = 64;
    for (const auto& [label, figure] :
         {std::pair("coloured text, a million tokens", text),
          std::pair("routing map, a million tokens", map),
          std::pair("similarity, 64 experts", tests::madeFigure("weight-similarity", 2, wide)),
          std::pair("rank counts, 8 experts", tests::madeFigure("rank-counts")),
          std::pair("neurons, 3 x 100,000 points", tests::madeNeuronCloud(64, 100000)),
          std::pair("turned neurons, 3 x 100,000 points", tests::madeNeuronCloud(64, 100000, true)),
          std::pair("intermediate states, 64 x 14,336", tests::madeNeuronMap(64, 14336, 1))}) {
        Shown shown(figure, {1280, 800});
        shown.view.grab();
        QElapsedTimer timer;
        timer.start();
        shown.view.setFigure(figure);
        CHECK_FALSE(shown.view.grab().isNull());
        std::cout << label << ": " << timer.elapsed() << " ms\n";
    }
}
