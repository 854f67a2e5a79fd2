// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Single tokens without experts: colours of the text, the largest rises, what is not kept.
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/text/tokenizer.h"
#include "tests/core/figures/made_source.h"
#include "tests/core/figures/table_column.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <cmath>

using namespace moescope;
using namespace moescope::figures;
using tests::MadeSession;
using tests::MadeSource;

namespace {

constexpr std::uint64_t kTokens = 64;  // two documents of 32
constexpr std::size_t kExperts = 8;

/// Loss of token t + 1 without expert e of layer l, kept at t.
float lossAt(int layer, std::size_t expert, std::uint64_t t) {
    return 2.0F +
           0.01F * static_cast<float>(
                       (t * 13U + expert * 5U + static_cast<std::uint64_t>(layer) * 3U) % 41U) -
           0.1F;
}

/// With the losses of every single removal, and of every index.
std::shared_ptr<MadeSource> source() {
    auto made = std::make_shared<MadeSource>(MadeSession{});
    std::vector<float> single;
    std::vector<float> everywhere;
    session::Axis experts{"expert", {}};
    for (int layer = 1; layer < 4; ++layer) {
        for (std::size_t e = 0; e < kExperts; ++e) {
            for (std::uint64_t t = 0; t < kTokens; ++t) {
                single.push_back(lossAt(layer, e, t));
            }
        }
    }
    for (std::size_t e = 0; e < kExperts; ++e) {
        experts.labels.push_back(std::to_string(e));
        for (std::uint64_t t = 0; t < kTokens; ++t) {
            everywhere.push_back(lossAt(0, e, t));
        }
    }
    made->put("expert_removal", "single_token_loss", std::nullopt,
              NdArray::from<float>({3, kExperts, kTokens}, single),
              {{"at_layer", {"1", "2", "3"}}, experts, {"position", {}}});
    made->put("expert_removal", "everywhere_token_loss", std::nullopt,
              NdArray::from<float>({kExperts, kTokens}, everywhere), {experts, {"position", {}}});
    std::vector<std::uint32_t> predicted;
    for (std::uint64_t t = 0; t < kTokens; ++t) {
        const auto& ids = made->head().corpus.ids;
        predicted.push_back(t % 3 == 0 && t + 1 < kTokens ? ids[t + 1] : 999'999U);
    }
    // Token 31's prediction is the first token of the second document: no token's prediction.
    predicted[31] = made->head().corpus.ids[32];
    made->put("expert_removal", "predicted", std::nullopt,
              NdArray::from<std::uint32_t>({kTokens}, predicted), {{"token", {}}});
    return made;
}

FigureRequest request(std::optional<LayerId> layer, std::optional<int> expert) {
    FigureRequest request;
    request.figure = "expert-removal-text";
    request.layer = layer;
    request.expert = expert;
    return request;
}

const LossTextFigure& bodyOf(const Figure& figure) {
    return std::get<LossTextFigure>(figure.body);
}

}  // namespace

TEST_CASE("expert-removal-text: the rise stands on the token that is predicted",
          "[core][figures]") {
    const FigureBuilder builder(source());
    const Figure figure = builder.build(request(LayerId{2}, 5));
    const LossTextFigure& body = bodyOf(figure);
    CHECK(body.without == "expert 5 of layer 2");
    CHECK(figure.provenance.layer == LayerId{2});
    REQUIRE(body.loss.size() == kTokens);
    for (std::uint64_t token = 0; token < kTokens; ++token) {
        if (token % 32 == 0) {  // nothing comes before it in its document
            CHECK(std::isnan(body.rise(token)));
            continue;
        }
        CHECK(body.intactLoss[token] == 2.0F);
        CHECK(body.loss[token] == lossAt(2, 5, token - 1));
        CHECK(body.isPredicted[token] == ((token - 1) % 3 == 0));
    }
    CHECK(body.predicted->ids[2] == 999'999U);
    CHECK_FALSE(body.predicted->texts.contains(999'999U));
    for (const std::uint64_t first : {0U, 32U}) {  // nothing comes before it in its document
        CHECK(body.predicted->ids[first] == PredictedTokens::kNothing);
        CHECK_FALSE(body.isPredicted[first]);
    }
    // A diverging scale with 0 in its middle.
    CHECK(body.bar.scale.map == ColourMap::Diverging);
    CHECK(body.bar.scale.low == -body.bar.scale.high);
    CHECK(body.bar.scale.high > 0.2);
}

TEST_CASE("expert-removal-text: the largest rises in their order", "[core][figures]") {
    const FigureBuilder builder(source());
    FigureRequest asked = request(LayerId{1}, 0);
    asked.tokens = TokenRange{10, 30};
    const Figure figure = builder.build(asked);
    const LossTextFigure& body = bodyOf(figure);
    std::size_t rising = 0;
    for (std::uint64_t token = 10; token < 40; ++token) {
        rising += body.rise(token) > 0.0F ? 1 : 0;  // NaN for 32, which begins a document
    }
    REQUIRE(rising > 10);
    REQUIRE(rising < 29);
    CHECK(body.rising == rising);
    REQUIRE(body.worst.size() == rising);  // what falls is no rise
    CHECK(body.rise(body.worst.back()) > 0.0F);
    for (std::size_t i = 0; i + 1 < body.worst.size(); ++i) {
        CHECK(body.rise(body.worst[i]) >= body.rise(body.worst[i + 1]));
    }
    CHECK(std::all_of(body.worst.begin(), body.worst.end(),
                      [](std::uint64_t token) { return token >= 10 && token < 40; }));
    CHECK(toCsv(figure).find("token,text,loss,intact_loss,rise,predicted_by_intact") !=
          std::string::npos);
    asked.tokens = TokenSelection({{0, 3}, {9, 3}});
    CHECK_THROWS_AS(builder.build(asked), Error);
}

TEST_CASE("expert-removal-text: everywhere, in one layer, in a set, or what costs most",
          "[core][figures]") {
    const FigureBuilder builder(source());
    using Kind = RemovalChoice::Kind;
    FigureRequest asked = request(std::nullopt, 3);
    asked.removal = RemovalChoice{Kind::Everywhere, {}};
    CHECK(bodyOf(builder.build(asked)).loss[7] == lossAt(0, 3, 6));
    asked.removal = parseRemovalChoice("2:4");  // a set of one is that expert
    CHECK(bodyOf(builder.build(asked)).loss[7] == lossAt(2, 4, 6));
    asked.removal = parseRemovalChoice("2:3,0:1");  // another spelling of a chosen set
    const Figure set = builder.build(asked);
    CHECK(bodyOf(set).without == "0:1,2:3");
    CHECK(bodyOf(set).rise(7) == Approx(6.0 / 7.0));
    // The losses of made-up removals grow with the expert.
    const Figure worst = builder.build(request(LayerId{3}, std::nullopt));
    CHECK(bodyOf(worst).without == "expert 7 of layer 3");
    CHECK(worst.howToRead.find("costs most") != std::string::npos);
    CHECK_THROWS_AS(builder.build(request(LayerId{3}, 8)), Error);
    CHECK_THROWS_AS(parseRemovalChoice("x:1"), Error);
    CHECK(std::holds_alternative<NoticeFigure>(builder.build(request(LayerId{0}, 1)).body));
}

TEST_CASE("expert-removal-text: colour limits of one removal, of those beside it, fixed",
          "[core][figures]") {
    const auto made = source();
    // Expert 6 of layer 1 hurts ten times as much.
    NdArray losses = made->read({BranchId{}, "expert_removal", "single_token_loss"}, std::nullopt);
    for (std::uint64_t t = 0; t < kTokens; ++t) {
        losses.values<float>()[6 * kTokens + t] = 7.0F;
    }
    const auto* info = made->find({BranchId{}, "expert_removal", "single_token_loss"});
    const auto axes = info->axes;
    made->put("expert_removal", "single_token_loss", std::nullopt, std::move(losses), axes);
    const FigureBuilder builder(made);
    FigureRequest asked = request(LayerId{1}, 0);
    CHECK(bodyOf(builder.build(asked)).bar.scale.high < 0.5);
    asked.range = {ColourRange::Kind::AllLayers};
    CHECK(bodyOf(builder.build(asked)).bar.scale.high == Approx(5.0));
    asked.layer = LayerId{2};  // one scale for pictures of all layers
    CHECK(bodyOf(builder.build(asked)).bar.scale.high == Approx(5.0));
    asked.range = {ColourRange::Kind::Layer};
    CHECK(bodyOf(builder.build(asked)).bar.scale.high < 0.5);
    asked.range = {ColourRange::Kind::Fixed, 0.0, 0.05};
    const Figure fixed = builder.build(asked);
    CHECK(bodyOf(fixed).bar.scale.low == -0.05);
    CHECK(bodyOf(fixed).bar.scale.hasAbove);
    CHECK(bodyOf(fixed).bar.scale.hasBelow);
}

TEST_CASE("expert-removal-text: other colours are not called red and blue", "[core][figures]") {
    const FigureBuilder builder(source());
    FigureRequest asked = request(LayerId{2}, 5);
    CHECK(builder.build(asked).howToRead.find("red where") != std::string::npos);
    asked.colourMap = ColourMap::Viridis;
    asked.range = {ColourRange::Kind::Fixed, 0.0, 0.1};
    const Figure figure = builder.build(asked);
    CHECK(figure.howToRead.find("red where") == std::string::npos);
    CHECK(figure.howToRead.find("upper end of the scale") != std::string::npos);
    // Limits are what was asked for; only a diverging map keeps 0 in its middle.
    const ColourScale& scale = bodyOf(figure).bar.scale;
    CHECK(scale.low == 0.0);
    CHECK(scale.high == 0.1);
    CHECK(scale.hasBelow);
    CHECK(scale.hasAbove);
    asked.colourMap.reset();
    CHECK(bodyOf(builder.build(asked)).bar.scale.low == -0.1);
}

TEST_CASE("expert-removal-text: says which option keeps what is missing", "[core][figures]") {
    const auto made = std::make_shared<MadeSource>(MadeSession{});  // sets only
    const FigureBuilder builder(made);
    CHECK(builder.removals() == KeptRemovals{false, false, {"0:1,2:3", "5"}});
    CHECK(bodyOf(builder.build(request(std::nullopt, std::nullopt))).without == "0:1,2:3");
    FigureRequest asked = request(LayerId{1}, 2);
    asked.removal = RemovalChoice{};
    tests::checkThrows([&] { (void)builder.build(asked); }, ErrorCode::Usage, {"--kept-size 1M"});
    asked.removal = parseRemovalChoice("3:3,3:4");
    tests::checkThrows([&] { (void)builder.build(asked); }, ErrorCode::Usage, {"--remove 3:3,3:4"});
    made->remove("expert_removal");
    const auto available = FigureBuilder(made).available();
    CHECK(std::none_of(available.begin(), available.end(),
                       [](const FigureInfo* info) { return info->removes; }));
    CHECK_THROWS_AS(builder.build(request(LayerId{1}, 2)), Error);
}

TEST_CASE("expert-removal-text: losses of another length are refused", "[core][figures]") {
    const auto made = source();
    made->put("expert_removal", "everywhere_token_loss", std::nullopt,
              NdArray(ElementType::F32, {8, 5}), {{"expert", {"0"}}, {"position", {}}});
    FigureRequest asked = request(std::nullopt, 0);
    asked.removal = RemovalChoice{RemovalChoice::Kind::Everywhere, {}};
    CHECK_THROWS_AS(FigureBuilder(made).build(asked), Error);
    made->put("expert_removal", "token_loss", std::nullopt, NdArray(ElementType::F32, {5}),
              {{"token", {}}});
    CHECK_THROWS_AS(FigureBuilder(made).build(request(LayerId{1}, 0)), Error);
}

TEST_CASE("expert-removal-tokens: rows of one expert lead to it and its tokens",
          "[core][figures]") {
    const FigureBuilder builder(source());
    FigureRequest asked = request(LayerId{2}, 5);
    asked.figure = "expert-removal-tokens";
    const Figure figure = builder.build(asked);
    const auto& table = std::get<TableFigure>(figure.body);
    REQUIRE(table.rows > 20);
    CHECK(table.experts == std::vector<int>(table.rows, 5));
    CHECK(table.layers == std::vector<LayerId>(table.rows, LayerId{2}));
    asked.figure = "expert-removal-text";
    const LossTextFigure body = bodyOf(builder.build(asked));
    REQUIRE(table.rows == std::min<std::size_t>(50, body.worst.size()));
    for (std::size_t row = 0; row < table.rows; ++row) {
        CHECK(table.tokens[row] == body.worst[row]);
        CHECK(table.columns[3].numbers[row] ==
              Approx(static_cast<double>(body.rise(body.worst[row]))));
    }
}

TEST_CASE("expert-removal-tokens: what is predicted instead of a token", "[core][figures]") {
    const auto made = source();
    // Without expert 5 of layer 2, token t is followed by the token at 3 t, if that is one.
    const auto& ids = made->head().corpus.ids;
    NdArray predicted(ElementType::U32, {3, kExperts, kTokens});
    const std::uint64_t row = (1 * kExperts + 5) * kTokens;
    for (std::uint64_t t = 0; t < kTokens; ++t) {
        predicted.values<std::uint32_t>()[row + t] = 3 * t < kTokens ? ids[3 * t] : 999'999U;
    }
    const auto axes = made->find({BranchId{}, "expert_removal", "single_token_loss"})->axes;
    made->put("expert_removal", "single_predicted", std::nullopt, std::move(predicted), axes);
    FigureRequest asked = request(LayerId{2}, 5);
    asked.figure = "expert-removal-tokens";
    const Figure figure = FigureBuilder(made).build(asked);
    const auto& table = std::get<TableFigure>(figure.body);
    const TableColumn& predicts = tests::column(figure, "predicts");
    const TableColumn& intact = tests::column(figure, "intact predicts");
    asked.figure = "expert-removal-text";
    const LossTextFigure text = bodyOf(FigureBuilder(made).build(asked));
    CHECK(bodyOf(FigureBuilder(source()).build(asked)).predictedWithout == nullptr);
    const auto texts = text.tokens;
    REQUIRE(text.predictedWithout != nullptr);
    CHECK(text.predictedWithout->ids[0] == PredictedTokens::kNothing);  // begins a document
    CHECK(text.predictedWithout->ids[6] == ids[15]);
    CHECK(text.predictedWithout->texts.at(ids[15]) == texts->text(15));
    CHECK(text.predictedWithout->ids[kTokens - 1] == 999'999U);
    CHECK_FALSE(text.predictedWithout->texts.contains(999'999U));
    asked.figure = "expert-removal-tokens";
    const auto& bytes = made->head().corpus.tokenBytes;
    for (std::size_t r = 0; r < table.rows; ++r) {
        const std::uint64_t before = table.tokens[r] - 1;
        CHECK(predicts.texts[r] ==
              (3 * before < kTokens ? text::displayText(bytes[3 * before]) : "id 999999"));
        CHECK(intact.texts[r] ==
              (before % 3 == 0 ? text::displayText(bytes[before + 1]) : "id 999999"));
    }
    CHECK(toCsv(figure).find("predicts,intact predicts") != std::string::npos);
    // Of a session that does not keep them there is no such column, and no other row.
    const Figure old = FigureBuilder(source()).build(asked);
    CHECK(std::get<TableFigure>(old.body).rows == table.rows);
    CHECK(std::get<TableFigure>(old.body).columns.size() == table.columns.size() - 1);
}

TEST_CASE("expert-removal-tokens: predicted tokens that the text does not have",
          "[core][figures]") {
    const auto made = source();
    const auto put = [&](std::vector<std::uint64_t> ends) {
        made->put("expert_removal", "predicted_ids", std::nullopt,
                  NdArray::from<std::uint32_t>({2}, std::vector<std::uint32_t>{4000, 999'999}),
                  {{"predicted_id", {}}});
        made->put("expert_removal", "predicted_bytes", std::nullopt,
                  NdArray::from<std::uint8_t>(
                      {6}, std::vector<std::uint8_t>{' ', 't', 'h', 'e', 0xE2, '.'}),
                  {{"byte", {}}});
        made->put("expert_removal", "predicted_byte_offsets", std::nullopt,
                  NdArray::from<std::uint64_t>({ends.size()}, ends), {{"boundary", {}}});
    };
    put({0, 4, 6});
    FigureRequest asked = request(LayerId{2}, 5);
    asked.figure = "expert-removal-tokens";
    const auto intact = [&] {
        return tests::column(FigureBuilder(made).build(asked), "intact predicts").texts;
    };
    const std::vector<std::string> texts = intact();
    CHECK(std::count(texts.begin(), texts.end(), "\u2039E2\u203A.") > 0);  // half a character
    CHECK(std::count(texts.begin(), texts.end(), "id 999999") == 0);
    asked.figure = "expert-removal-text";
    CHECK(bodyOf(FigureBuilder(made).build(asked)).predicted->texts.at(999'999U) ==
          "\u2039E2\u203A.");
    // What does not fit together is a damaged file.
    for (const std::vector<std::uint64_t>& ends :
         {std::vector<std::uint64_t>{0, 4}, {0, 4, 7}, {0, 4, 3}, {}}) {
        put(ends);
        CHECK_THROWS_AS(FigureBuilder(made).build(asked), Error);
    }
}

TEST_CASE("expert-removal-tokens: an id is shown by its own bytes", "[core][figures]") {
    // In the text the parts of a character show it with which part they are; a prediction of one
    // of them is no part of that character.
    const auto made = source();
    text::TokenizedCorpus& corpus = made->head().corpus;
    corpus.tokenBytes[3] = "\xE4";
    corpus.tokenBytes[4] = "\xB8";
    corpus.tokenBytes[5] = "\xAD";
    corpus.ids[3] = 7003;
    corpus.ids[4] = 7004;
    corpus.ids[5] = 7005;
    made->put("expert_removal", "predicted", std::nullopt,
              NdArray::from<std::uint32_t>({kTokens}, std::vector<std::uint32_t>(kTokens, 7003)),
              {{"token", {}}});
    FigureRequest asked = request(LayerId{2}, 5);
    const Figure figure = FigureBuilder(made).build(asked);
    CHECK(bodyOf(figure).tokens->text(3) == "\u4E2D\u20391/3\u203A");
    CHECK(bodyOf(figure).predicted->texts.at(7003) == "\u2039E4\u203A");
}

TEST_CASE("expert-removal-tokens: of the tokens asked for", "[core][figures]") {
    const FigureBuilder builder(source());
    FigureRequest asked = request(LayerId{2}, 5);
    asked.figure = "expert-removal-tokens";
    asked.tokens = TokenSelection({{3, 4}, {31, 3}});  // token 32 begins a document
    const Figure figure = builder.build(asked);
    std::vector<std::uint64_t> tokens = std::get<TableFigure>(figure.body).tokens;
    std::sort(tokens.begin(), tokens.end());
    std::vector<std::uint64_t> rising;
    for (const std::uint64_t token : {3U, 4U, 5U, 6U, 31U, 33U}) {
        if (lossAt(2, 5, token - 1) > 2.0F) {
            rising.push_back(token);
        }
    }
    CHECK(rising.size() >= 3);
    CHECK(tokens == rising);
    CHECK(std::get<TableFigure>(figure.body).sections.front().title.find("100 %") !=
          std::string::npos);
    CHECK(figure.title.find("7 tokens in 2 ranges") != std::string::npos);
    asked.tokens = TokenRange{32, 1};
    CHECK(std::holds_alternative<NoticeFigure>(builder.build(asked).body));
}
