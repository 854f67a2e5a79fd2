// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/canvas/heat_map_body.h"

#include "tests/support/catch.h"
#include "widgets/support/colour_maps.h"

#include <QImage>
#include <QPainter>

#include <limits>

using namespace moescope;
using widgets::FigureStyle;
using widgets::HeatMapBody;

namespace {

std::shared_ptr<const figures::Figure> mapOf(std::size_t n,
                                             float (*value)(std::size_t, std::size_t),
                                             bool masked = false) {
    figures::HeatMapFigure body;
    figures::HeatMapPanel panel;
    panel.matrix = {n, n, {}};
    for (std::size_t i = 0; i < n; ++i) {
        panel.rowLabels.push_back(std::to_string(i));
        for (std::size_t j = 0; j < n; ++j) {
            panel.matrix.values.push_back(value(i, j));
        }
    }
    panel.columnLabels = panel.rowLabels;
    body.panels.push_back(panel);
    body.bar = {{figures::ColourMap::Viridis, 0.0, 1.0}, "value"};
    body.diagonalMasked = masked;
    auto figure = std::make_shared<figures::Figure>();
    figure->body = std::move(body);
    return figure;
}

QImage painted(HeatMapBody& body, const QSize& size) {
    QImage image(size, QImage::Format_RGB32);
    image.fill(Qt::white);
    body.resize(size);
    QPainter painter(&image);
    body.paint(painter);
    return image;
}

// The colour in the middle of a cell, found through the body's own hit test.
QColor colourAtCell(const HeatMapBody& body, const QImage& image, int row, int column) {
    figures::Selection selection;
    selection.pairRow = row;
    selection.pairColumn = column;
    const QRectF cell = body.outlines(selection).front();
    const figures::Hit hit = body.hitAt(cell.center());
    CHECK(hit.row == row);
    CHECK(hit.column == column);
    // Beside the printed value.
    return image.pixelColor((cell.topLeft() + QPointF(2, 2)).toPoint());
}

bool near(const QColor& a, const QColor& b) {
    return std::abs(a.red() - b.red()) <= 2 && std::abs(a.green() - b.green()) <= 2 &&
           std::abs(a.blue() - b.blue()) <= 2;
}

}  // namespace

TEST_CASE("HeatMapBody: a cell has the colour of its value, drawn either way",
          "[widgets][canvas]") {
    for (const std::size_t n : {8U, 64U}) {
        const auto figure = mapOf(n, [](std::size_t i, std::size_t j) {
            return static_cast<float>((i * 7 + j * 3) % 11) / 10.0F;
        });
        for (const bool vector : {false, true}) {
            FigureStyle style = FigureStyle::forExport(widgets::Theme::light());
            style.vectorCells = vector;
            HeatMapBody body(figure, style);
            const QImage image = painted(body, {700, 600});
            for (const auto& [row, column] : {std::pair(0, 1), std::pair(5, 2), std::pair(7, 7)}) {
                const double value = ((row * 7 + column * 3) % 11) / 10.0;
                INFO(n << " experts, cell " << row << ", " << column);
                CHECK(near(colourAtCell(body, image, row, column),
                           widgets::colourAt(figures::ColourMap::Viridis, value)));
            }
        }
    }
}

TEST_CASE("HeatMapBody: missing and masked cells are no colours of the map", "[widgets][canvas]") {
    const auto figure = mapOf(
        8,
        [](std::size_t i, std::size_t j) {
            return i == 2 && j == 3 ? std::numeric_limits<float>::quiet_NaN() : 0.5F;
        },
        true);
    const FigureStyle style = FigureStyle::forExport(widgets::Theme::light());
    HeatMapBody body(figure, style);
    const QImage image = painted(body, {700, 600});
    CHECK(near(colourAtCell(body, image, 4, 4), style.theme.missing));
    CHECK_FALSE(
        near(colourAtCell(body, image, 2, 3), widgets::colourAt(figures::ColourMap::Viridis, 0.5)));
    figures::Selection selection;
    selection.pairRow = 2;
    selection.pairColumn = 3;
    CHECK(body.hitAt(body.outlines(selection).front().center()).readOut ==
          "experts 2 and 3: not available");
}

TEST_CASE("HeatMapBody: the keyboard walks over cells and stops at the edge", "[widgets][canvas]") {
    HeatMapBody body(mapOf(4, [](std::size_t, std::size_t) { return 0.5F; }),
                     FigureStyle::forExport(widgets::Theme::light()));
    body.resize({400, 400});
    figures::Selection at;
    const auto first = body.step(at, 1, 0);
    REQUIRE(first);
    CHECK(first->row == 0);
    at.pairRow = 3;
    at.pairColumn = 3;
    CHECK(body.step(at, 1, 1)->column == 3);
    CHECK(body.step(at, -1, 0)->column == 2);
    CHECK(body.step(at, 0, -1)->row == 2);
}

TEST_CASE("HeatMapBody: pairs are told alike in panels whose experts stand in another order",
          "[widgets][canvas]") {
    auto figure = std::make_shared<figures::Figure>(
        *mapOf(4, [](std::size_t i, std::size_t j) { return 0.1F * static_cast<float>(i + j); }));
    auto& map = std::get<figures::HeatMapFigure>(figure->body);
    map.panels.push_back(map.panels.front());
    map.panels[1].rowLabels = map.panels[1].columnLabels = {"2", "0", "3", "1"};
    HeatMapBody body(figure, FigureStyle::forExport(widgets::Theme::light()));
    body.resize(QSizeF(600, 300));
    figures::Selection selection;
    selection.pairRow = 3;
    selection.pairColumn = 1;
    const std::vector<QRectF> cells = body.outlines(selection);
    REQUIRE(cells.size() == 2);
    for (const QRectF& cell : cells) {
        const figures::Hit hit = body.hitAt(cell.center());
        CHECK(hit.row == 3);
        CHECK(hit.column == 1);
        CHECK(hit.readOut.find("experts 3 and 1") != std::string::npos);
    }
}
