// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Figures of removed experts: that each says what the session holds, and how sure it is.

#include "core/base/error.h"
#include "core/figures/builder.h"
#include "tests/core/figures/made_source.h"
#include "tests/core/figures/table_column.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace moescope;
using namespace moescope::figures;
using tests::column;
using tests::MadeSession;
using tests::MadeSource;

namespace {

Figure build(const std::shared_ptr<MadeSource>& source, const std::string& figure) {
    FigureRequest request;
    request.figure = figure;
    return FigureBuilder(source).build(request);
}

const HeatMapPanel& panelOf(const Figure& figure) {
    return std::get<HeatMapFigure>(figure.body).panels.at(0);
}

bool hasColumn(const Figure& figure, const std::string& name) {
    const auto& columns = std::get<TableFigure>(figure.body).columns;
    return std::any_of(columns.begin(), columns.end(),
                       [&](const TableColumn& c) { return c.name == name; });
}

}  // namespace

TEST_CASE("expert-removal: rises over the intact loss, beside experts of like load",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const Figure map = build(source, "expert-removal");
    CHECK(panelOf(map).rowLabels == std::vector<std::string>{"1", "2", "3"});
    CHECK(panelOf(map).matrix.at(0, 0) == Approx(0.01F));
    CHECK(panelOf(map).matrix.at(2, 7) == Approx(0.10F));
    const auto& bar = std::get<HeatMapFigure>(map.body).bar.scale;
    CHECK(bar.low == 0.0);  // nothing falls: no half of the bar is empty
    CHECK(bar.high == Approx(0.10F));
    CHECK_FALSE(bar.hasAbove);
    CHECK(bar.position(0.0) == 0.5);  // the diverging map's middle
    CHECK(bar.position(bar.high) == 1.0);
    // Experts 0 and 1 of equal load in layer 1, the others idle.
    NdArray ids(ElementType::U8, {64, 2});
    for (std::size_t i = 0; i < 128; ++i) {
        ids.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
    }
    source->put("chosen_experts", "ids", LayerId{1}, std::move(ids));
    const Figure table = build(source, "expert-removal-table");
    const auto shareOf = [&](int layer, int expert) {
        const auto chosen =
            source->read({BranchId{}, "chosen_experts", "ids"}, LayerId{layer}).toDoubles();
        return static_cast<double>(
                   std::count(chosen.begin(), chosen.end(), static_cast<double>(expert))) /
               static_cast<double>(source->head().corpus.tokenCount());
    };
    const auto meanShare = [&](int expert) {
        return (shareOf(1, expert) + shareOf(2, expert) + shareOf(3, expert)) / 3.0;
    };
    const auto& body = std::get<TableFigure>(table.body);
    REQUIRE(body.rows == 2 + 8 + 3 * 8 + 1);
    REQUIRE(body.sections.size() == 3);
    // Chosen sets, beside the mean and the range of their two controls.
    CHECK(column(table, "removed").texts[0] == "0:1, 2:3");
    CHECK(column(table, "set").texts[0] == "0:1,2:3");
    CHECK(column(table, "layer").texts[0].empty());
    CHECK(column(table, "loss rises by").numbers[1] == Approx(1.5));
    CHECK(column(table, "controls").numbers[1] == Approx(0.2));
    CHECK(column(table, "controls").texts[1] == "0.2000 (0.1000\u20130.3000)");
    CHECK(column(table, "controls from").numbers[1] == Approx(0.1));
    CHECK(column(table, "controls to").numbers[1] == Approx(0.3));
    CHECK(std::isnan(column(table, "others of like load").numbers[1]));
    CHECK(std::isnan(column(table, "share of tokens").numbers[0]));  // layer 0 is dense
    CHECK(column(table, "share of tokens").numbers[1] == Approx(meanShare(5)));
    CHECK(column(table, "share of tokens of controls").numbers[1] ==
          Approx((shareOf(3, 2) + shareOf(1, 1)) / 2.0));
    CHECK(body.sections[2].firstRow == 2 + 8);
    CHECK(column(table, "loss rises by").numbers[2 + 3] == Approx(0.3));
    const auto rowOf = [&](const std::string& removed) {
        const auto& names = column(table, "removed").texts;
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), removed) -
                                        names.begin());
    };
    // Of one layer: the largest rise first.
    CHECK(column(table, "removed").texts[2 + 8] == "layer 3, expert 7");
    const auto& rises = column(table, "loss rises by").numbers;
    CHECK(std::is_sorted(rises.rbegin() + 1, rises.rbegin() + 1 + 3 * 8));
    CHECK(column(table, "loss rises by").leastDecimals == kRiseDecimals);
    const std::size_t first = rowOf("layer 1, expert 0");
    REQUIRE(first < body.rows);
    CHECK(column(table, "removed").texts[2 + 3] == "expert 3");
    CHECK(column(table, "layer").texts[2 + 3] == "all");
    // The CSV has the headings as a column.
    const std::string csv = toCsv(table);
    CHECK(csv.find(",section\n") != std::string::npos);
    const std::size_t line = csv.find("\nexpert 3,all,3,") + 1;
    REQUIRE(line != 0);
    const std::string row = csv.substr(line, csv.find('\n', line) - line);
    CHECK(row.ends_with("," + body.sections[1].title));
    CHECK(csv.ends_with(",\n"));  // the intact model is under no heading
    CHECK(column(table, "layer").texts[first] == "1");
    CHECK(column(table, "expert").numbers[first] == 0.0);
    CHECK(std::isnan(column(table, "controls").numbers[first]));
    // A click on a row of one layer goes there; all layers and sets are none.
    CHECK(body.layers[rowOf("layer 2, expert 0")] == LayerId{2});
    CHECK(body.experts[rowOf("layer 2, expert 3")] == 3);
    CHECK(body.layers[2 + 3] == LayerId{-1});
    CHECK(body.experts[2 + 3] == 3);
    CHECK(body.layers[0] == LayerId{-1});
    CHECK(body.experts[0] == -1);
    CHECK(column(table, "share of tokens").numbers[first] == 1.0);
    CHECK(column(table, "others of like load").numbers[first] == Approx(0.02));  // expert 1's rise
    CHECK(column(table, "others of like load").numbers[rowOf("layer 1, expert 1")] == Approx(0.01));
    CHECK(column(table, "share of tokens").numbers[rowOf("layer 1, expert 2")] == 0.0);
    CHECK(column(table, "perplexity").numbers.back() == Approx(std::exp(2.0)));
    // The first set has one control only.
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> some{2.25, 0.5, 0.1, kNone, kNone, kNone,
                                   2.1,  0.5, 0.1, 2.3,   0.5,   0.1};
    source->put("expert_removal", "set_controls", std::nullopt,
                NdArray::from<double>({2, 2, 3}, some),
                {{"set", {"0:1,2:3", "5"}}, {"control", {}}, {"measure", {}}});
    const Figure ragged = build(source, "expert-removal-table");
    CHECK(column(ragged, "controls").numbers[0] == Approx(0.25));
    CHECK(column(ragged, "controls").texts[0].empty());  // a range of one
    CHECK(column(ragged, "controls").numbers[1] == Approx(0.2));
    const std::vector<std::uint32_t> wrong{0, 0, 1, 4'000'000'000};
    source->put("expert_removal", "set_control_experts", std::nullopt,
                NdArray::from<std::uint32_t>({1, 4}, wrong));
    tests::checkThrows([&] { (void)build(source, "expert-removal-table"); }, ErrorCode::BadSession,
                       {"set_control_experts has 4000000000 at place 3"});
    source->put("expert_removal", "set_control_experts", std::nullopt,
                NdArray(ElementType::U32, {0, 4}));
    source->remove("chosen_experts");
    const Figure alone = build(source, "expert-removal-table");
    CHECK_FALSE(hasColumn(alone, "others of like load"));
}

TEST_CASE("expert-removal: one large rise does not make all others pale", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const session::QuantityId id{BranchId{}, "expert_removal", "single"};
    NdArray outcomes = source->read(id, std::nullopt);
    double* losses = outcomes.values<double>().data();  // [layer, expert, measure], intact 2
    for (std::size_t cell = 0; cell < 24; ++cell) {
        losses[3 * cell] = 2.0 + 0.001 * static_cast<double>(cell);
    }
    losses[3 * 23] = 5.0;
    losses[0] = 1.99;
    source->put("expert_removal", "single", std::nullopt, std::move(outcomes),
                {{"layer", {"1", "2", "3"}},
                 {"expert", {"0", "1", "2", "3", "4", "5", "6", "7"}},
                 {"measure", {"loss", "accuracy", "changed"}}});
    const Figure map = build(source, "expert-removal");
    const ColourScale& scale = std::get<HeatMapFigure>(map.body).bar.scale;
    // numpy.quantile of the 24 magnitudes (0.01, 0.001 ... 0.022, 3) at 0.98, method "lower".
    CHECK(scale.high == Approx(0.022).epsilon(1e-5));
    CHECK(scale.low == Approx(-0.01).epsilon(1e-5));
    CHECK(scale.hasAbove);
    CHECK_FALSE(scale.hasBelow);
    CHECK(scale.position(3.0) == 1.0);  // drawn in the end's colour
    CHECK(scale.position(-0.01) == Approx(0.5 - 0.5 * 0.01 / scale.high));
    CHECK(panelOf(map).matrix.at(2, 7) == 3.0F);  // and read as it is
    CHECK(map.howToRead.find("Colours end at +0.022; 1 cell is beyond.") != std::string::npos);
    FigureRequest all;
    all.figure = "expert-removal";
    all.range.kind = ColourRange::Kind::AllLayers;
    const Figure whole = FigureBuilder(source).build(all);
    CHECK(std::get<HeatMapFigure>(whole.body).bar.scale.high == Approx(3.0));
    CHECK(whole.howToRead.find("beyond") == std::string::npos);
    CHECK(toCsv(map).find("panel,layer,expert,rise of the loss (nat)\n") != std::string::npos);
}

TEST_CASE("expert-removal: intervals of the rise are those of documents drawn again",
          "[core][figures]") {
    // Rises differ from document to document and not within one.
    const auto source = std::make_shared<MadeSource>(MadeSession{.documents = 4});
    const std::vector<double> perDocument{0.1, 0.4, 0.2, 0.9};
    const auto& offsets = source->head().corpus.offsets;
    const auto tokens = static_cast<std::uint64_t>(offsets.back());
    std::vector<float> intact(tokens, 2.0F);
    std::vector<float> without(2 * tokens, 2.0F);
    for (std::size_t d = 0; d < 4; ++d) {
        for (std::uint64_t t = offsets[d]; t < offsets[d + 1]; ++t) {
            without[t] = static_cast<float>(2.0 + perDocument[d]);
            without[tokens + t] = 2.5F;
        }
        intact[offsets[d + 1] - 1] = std::numeric_limits<float>::quiet_NaN();
    }
    const session::Axis names{"set", {"0:1,2:3", "5"}};
    source->put("expert_removal", "token_loss", std::nullopt,
                NdArray::from<float>({tokens}, intact), {{"token", {}}});
    source->put("expert_removal", "set_token_loss", std::nullopt,
                NdArray::from<float>({2, tokens}, without), {names, {"position", {}}});
    const Figure table = build(source, "expert-removal-table");
    // All means of four documents drawn with replacement, each as likely as the others.
    std::vector<double> means;
    for (int draw = 0; draw < 256; ++draw) {
        means.push_back((perDocument[static_cast<std::size_t>(draw % 4)] +
                         perDocument[static_cast<std::size_t>(draw / 4 % 4)] +
                         perDocument[static_cast<std::size_t>(draw / 16 % 4)] +
                         perDocument[static_cast<std::size_t>(draw / 64)]) /
                        4.0);
    }
    std::sort(means.begin(), means.end());
    CHECK(column(table, "from").numbers[0] == Approx(means[6]).margin(0.03));
    CHECK(column(table, "to").numbers[0] == Approx(means[249]).margin(0.03));
    // Where every document says the same there is no doubt.
    CHECK(column(table, "from").numbers[1] == Approx(0.5));
    CHECK(column(table, "to").numbers[1] == Approx(0.5));
    CHECK(std::isnan(column(table, "from").numbers[5]));  // no losses of its tokens
    CHECK(table.howToRead.find("bootstrap over documents") != std::string::npos);
    // The map has them where the session has losses of every removal's tokens.
    CHECK(panelOf(build(source, "expert-removal")).low.values.empty());
    std::vector<float> single(3 * 8 * tokens, std::numeric_limits<float>::quiet_NaN());
    std::copy_n(without.begin(), tokens, single.begin() + static_cast<std::ptrdiff_t>(9 * tokens));
    source->put("expert_removal", "single_token_loss", std::nullopt,
                NdArray::from<float>({3, 8, tokens}, single),
                {{"at_layer", {"1", "2", "3"}}, {"expert", {}}, {"position", {}}});
    const Figure map = build(source, "expert-removal");
    CHECK(panelOf(map).low.at(1, 1) == Approx(column(table, "from").numbers[0]).epsilon(1e-6));
    CHECK(panelOf(map).high.at(1, 1) == Approx(column(table, "to").numbers[0]).epsilon(1e-6));
    CHECK(std::isnan(panelOf(map).low.at(0, 0)));
}

TEST_CASE("expert-removal-table: long sets are shortened", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    std::string set = "0:1";
    for (int e = 0; e < 8; ++e) {
        set += ",1:" + std::to_string(e);
    }
    const session::Axis measures{"measure", {"loss", "accuracy", "changed"}};
    source->put("expert_removal", "set", std::nullopt,
                source->read({BranchId{}, "expert_removal", "set"}, std::nullopt),
                {{"set", {set, "1:0,1:1,1:2,1:3,1:4,1:5,1:6,1:7"}}, measures});
    const Figure table = build(source, "expert-removal-table");
    CHECK(column(table, "removed").texts[0] == "0:1, 1:0, 1:1, 1:2, 1:3, 1:4, ... (9 in all)");
    CHECK(column(table, "removed").texts[1] == "1:0, 1:1, 1:2, 1:3, 1:4, 1:5, 1:6, 1:7");
    CHECK(column(table, "set").texts[0] == set);
}

TEST_CASE("expert-removal-tokens: the tokens that follow where the loss rises most",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const Figure figure = build(source, "expert-removal-tokens");
    const auto& body = std::get<TableFigure>(figure.body);
    REQUIRE(body.sections.size() == 2);
    CHECK(body.sections[0].title.find("without 0:1,2:3:") == 0);
    REQUIRE(body.rows == 40);
    CHECK(body.sections[1].firstRow == 20);
    const auto& rises = column(figure, "rises by").numbers;
    for (std::size_t i = 0; i + 1 < 20; ++i) {
        CHECK(rises[i] >= rises[i + 1]);
    }
    CHECK(figure.howToRead.find("whose loss rises most") != std::string::npos);
    CHECK(rises[0] == Approx(6.0 / 7.0).epsilon(1e-6));
    CHECK(rises[20] == Approx(12.0 / 7.0).epsilon(1e-6));
    const auto& tokens = column(figure, "token").numbers;
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(static_cast<std::size_t>(tokens[i] - 1) % 7 == 6);
        CHECK(column(figure, "loss").numbers[i] - column(figure, "intact").numbers[i] ==
              Approx(rises[i]));
    }
    // Without chosen sets there is no such figure.
    source->remove("expert_removal");
    CHECK_THROWS_AS(build(source, "expert-removal-tokens"), Error);
}

TEST_CASE("expert-removal-table: of a run that removed chosen sets only", "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const auto take = [&](const char* quantity) {
        return source->read({BranchId{}, "expert_removal", quantity}, std::nullopt);
    };
    const NdArray sets = take("set");
    const NdArray intact = take("intact");
    source->remove("expert_removal");
    const session::Axis measures{"measure", {"loss", "accuracy", "changed"}};
    source->put("expert_removal", "intact", std::nullopt, intact, {measures});
    source->put("expert_removal", "set", std::nullopt, sets, {{"set", {"0:1", "3"}}, measures});
    const Figure table = build(source, "expert-removal-table");
    const auto& body = std::get<TableFigure>(table.body);
    CHECK(body.rows == 3);
    CHECK_FALSE(hasColumn(table, "controls"));
    CHECK_FALSE(hasColumn(table, "from"));
    CHECK(table.howToRead.find("No intervals") != std::string::npos);
    const auto available = FigureBuilder(source).available();
    CHECK(std::none_of(available.begin(), available.end(), [](const FigureInfo* info) {
        return info->name == "expert-removal" || info->name == "expert-removal-tokens";
    }));
}

TEST_CASE("expert-removal: what is no number is open only until the run is done",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    const session::QuantityId id{BranchId{}, "expert_removal", "single"};
    NdArray single = source->read(id, std::nullopt);
    single.values<double>()[3] = std::numeric_limits<double>::quiet_NaN();
    const auto axes = source->find(id)->axes;
    source->put("expert_removal", "single", std::nullopt, std::move(single), axes);
    session::ExperimentRecord record;
    record.id = "expert_removal";
    record.state = session::ExperimentState::Running;
    source->head().experiments.push_back(record);
    CHECK(build(source, "expert-removal").howToRead.find("So far 23 of 24") != std::string::npos);
    source->head().experiments.back().state = session::ExperimentState::Done;
    CHECK(build(source, "expert-removal").howToRead.find("So far") == std::string::npos);
}
