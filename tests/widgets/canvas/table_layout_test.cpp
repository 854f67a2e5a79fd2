// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers of tables: as many decimals in all rows of a column, whatever the room.
#include "widgets/canvas/table_layout.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::widgets;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

QStringList textsOf(std::vector<double> values) {
    figures::TableFigure table;
    table.rows = values.size();
    table.columns = {{"value", figures::TableColumn::Kind::Number, {}, std::move(values)}};
    const ChartMemory memory;
    const TableTexts texts(table, memory);
    QStringList all;
    for (std::size_t row = 0; row < table.rows; ++row) {
        all << texts.cell(row, 0);
    }
    return all;
}

QStringList list(std::initializer_list<const char*> texts) {
    QStringList all;
    for (const char* text : texts) {
        all << QString::fromUtf8(text);
    }
    return all;
}

}  // namespace

TEST_CASE("Table: three digits of the largest number, in all rows alike", "[widgets][canvas]") {
    CHECK(textsOf({0.2512, 0.1, 0.00312}) == list({"0.251", "0.100", "0.003"}));
    CHECK(textsOf({1234.2, 2.25}) == list({"1234", "2"}));
    CHECK(textsOf({12.34, 5.0}) == list({"12.3", "5.0"}));
    // What differs only behind them shows two digits of the difference.
    CHECK(textsOf({2.5012, 2.5134, 2.5301}) == list({"2.501", "2.513", "2.530"}));
    // But no more than five in all.
    CHECK(textsOf({2.50001, 2.50002, 2.60004}) == list({"2.5", "2.5", "2.6"}));
    CHECK(textsOf({2.50009, 2.50012, 2.50018}) == list({"2.5001", "2.5001", "2.5002"}));
}

TEST_CASE("Table: one far value does not make the other rows alike", "[widgets][canvas]") {
    // The middle half, 0.0021 to 0.0042, has two digits.
    CHECK(textsOf({2.6, 0.0021, 0.0034, 0.0042, 0.0013}) ==
          list({"2.6000", "0.0021", "0.0034", "0.0042", "0.0013"}));
    CHECK(textsOf({14.6391, 14.6402, 14.6513, 18.01, 14.6321}) ==
          list({"14.639", "14.640", "14.651", "18.010", "14.632"}));
    // Nothing but the far value differs.
    CHECK(textsOf({0.25, 0.25, 0.25, 0.25, 3.0}) == list({"0.25", "0.25", "0.25", "0.25", "3.00"}));
}

TEST_CASE("Table: no zeros that stand in every row, none that are not there", "[widgets][canvas]") {
    CHECK(textsOf({2.0, 3.0}) == list({"2", "3"}));
    CHECK(textsOf({0.5, 0.25}) == list({"0.50", "0.25"}));
    CHECK(textsOf({0.0, 0.0}) == list({"0", "0"}));
    CHECK(textsOf({0.5, 0.00002, -0.00002, 0.251}) == list({"0.500", "<0.001",
                                                            "\xE2\x88\x92"
                                                            "0.000",
                                                            "0.251"}));
    CHECK(textsOf({-0.125, 0.5}) == list({"\xE2\x88\x92"
                                          "0.125",
                                          "0.500"}));
    CHECK(textsOf({1.5e-5, 3.25e-6}) == list({"1.50e\xE2\x88\x92"
                                              "05",
                                              "3.25e\xE2\x88\x92"
                                              "06"}));
    CHECK(textsOf({kNaN, 0.5}) == list({"not available", "0.5"}));
    CHECK(textsOf({kNaN}) == list({"not available"}));
}

namespace {

figures::TableColumn texts(const char* name, std::vector<std::string> cells) {
    return {name, figures::TableColumn::Kind::Text, std::move(cells), {}};
}

}  // namespace

TEST_CASE("Table: what is empty goes before what is not, where there is no room",
          "[widgets][canvas]") {
    figures::TableFigure table;
    table.rows = 2;
    table.columns = {texts("name", {"a", "b"}), texts("mark", {"", ""}),
                     texts("prune", {"", "goes"})};
    for (int i = 0; i < 12; ++i) {
        table.columns.push_back({"number", figures::TableColumn::Kind::Number, {}, {0.123, 0.456}});
    }
    const ChartMemory memory;
    const FigureStyle style = FigureStyle::forExport(Theme::light());
    const TableLayout layout = layOutTable(TableTexts(table, memory), style, 300.0);
    CHECK(std::count(layout.columns.begin(), layout.columns.end(), 1U) == 0);
    CHECK(std::count(layout.columns.begin(), layout.columns.end(), 2U) == 1);
    CHECK(layout.leftOut.contains(QStringLiteral("mark")));
    CHECK(layOutTable(TableTexts(table, memory), style, 900.0).columns.size() == 15);
}

TEST_CASE("Table: rises of the loss have four decimals at least", "[widgets][canvas]") {
    CHECK(numberFormatOf({0.71, 0.0, 0.00254}).decimals < figures::kRiseDecimals);
    CHECK(numberFormatOf({0.71, 0.0, 0.00254}, figures::kRiseDecimals).decimals == 4);
    figures::TableFigure table;
    table.rows = 3;
    table.columns = {{"loss rises by", figures::TableColumn::Kind::Number, {}, {0.71, 0.001, 0.0}}};
    table.columns[0].leastDecimals = figures::kRiseDecimals;
    const ChartMemory memory;
    const TableTexts cells(table, memory);
    CHECK(cells.cell(0, 0) == QStringLiteral("0.7100"));
    CHECK(cells.cell(1, 0) == QStringLiteral("0.0010"));
}

TEST_CASE("Table: columns that are worth least go first, others last", "[widgets][canvas]") {
    figures::TableFigure table;
    table.rows = 1;
    table.columns = {texts("number", {"12345"}),
                     texts("in context", {"a long text that needs much of the width of the table"}),
                     {"rise", figures::TableColumn::Kind::Number, {}, {0.123}},
                     {"loss", figures::TableColumn::Kind::Number, {}, {0.456}},
                     {"removal", figures::TableColumn::Kind::Number, {}, {0.456}}};
    table.columns[0].keep = -1;
    table.columns[1].wraps = true;
    table.columns[1].keep = 1;
    table.columns[4].keep = 1;
    const ChartMemory memory;
    const TableTexts cells(table, memory);
    const FigureStyle style = FigureStyle::forExport(Theme::light());
    std::size_t columns = table.columns.size();
    const std::vector<std::vector<std::size_t>> expected{{1, 2, 3, 4}, {1, 2, 4}, {1, 4}, {1}};
    auto next = expected.begin();
    for (int width = 400; width > 10; --width) {
        const TableLayout layout = layOutTable(cells, style, width);
        if (layout.columns.size() != columns) {
            REQUIRE(next != expected.end());
            CHECK(layout.columns == *next);
            columns = layout.columns.size();
            ++next;
        }
    }
    CHECK(next == expected.end());
}

TEST_CASE("Table: names of rows stay on one line while there is room", "[widgets][canvas]") {
    figures::TableFigure table;
    table.rows = 2;
    table.columns = {
        texts("removed", {"layer 10, expert 10", "0:1, 1:0, 1:1, 1:2, 1:3, 1:4, ... (9 in all)"})};
    table.columns[0].wraps = true;
    for (int i = 0; i < 8; ++i) {
        table.columns.push_back({"others of like load, all of them",
                                 figures::TableColumn::Kind::Number,
                                 {},
                                 {0.123, 0.456}});
    }
    const ChartMemory memory;
    const FigureStyle style = FigureStyle::forExport(Theme::light());
    const TableLayout layout = layOutTable(TableTexts(table, memory), style, 660.0);
    REQUIRE(layout.columns.size() == 9);
    CHECK(layout.cellHeights[0] == std::ceil(layout.lineHeight));
    CHECK(layout.cellHeights[1] > std::ceil(layout.lineHeight));
}

TEST_CASE("Table: contexts break between tokens, headings of sections between words",
          "[widgets][canvas]") {
    figures::TableFigure table;
    table.rows = 1;
    table.columns = {texts("in context", {"\xC2\xB7of\xC2\xB7its\xC2\xB7 experts"}),
                     texts("plain", {"a\xC2\xB7 b"})};
    table.columns[0].wraps = true;
    table.sections = {
        {0, "a heading of some length that one line of this width cannot hold at all"}};
    const ChartMemory memory;
    const TableTexts cells(table, memory);
    CHECK(cells.drawnCell(0, 0).split(QChar(0x200B)).size() == 4);
    CHECK(cells.drawnCell(0, 0).remove(QChar(0x200B)) == cells.cell(0, 0));
    CHECK(cells.drawnCell(0, 1) == cells.cell(0, 1));
    const FigureStyle style = FigureStyle::forExport(Theme::light());
    const double narrow = layOutTable(cells, style, 120.0).sectionHeights.at(0);
    CHECK(narrow > 2.0 * layOutTable(cells, style, 900.0).sectionHeights.at(0));
}
