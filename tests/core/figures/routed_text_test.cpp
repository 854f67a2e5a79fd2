// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Figures that count what routers chose. The counts themselves are tested against NumPy in
// tests/core/numerics/routing_test.cpp; here, that each figure counts what it says.
#include "core/base/error.h"
#include "core/figures/builder.h"
#include "core/figures/repeated_passages.h"
#include "core/numerics/resampling.h"
#include "tests/core/figures/made_source.h"
#include "tests/core/figures/table_column.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

using namespace moescope;
using namespace moescope::figures;
using tests::column;
using tests::MadeSession;
using tests::MadeSource;

namespace {

constexpr int kExperts = 8;

/// Twelve documents of 20 tokens in domains a and b, and one without a domain. In domain a, layer 1
/// chooses experts 0 and 1 all the time; in b, experts 2 ... 7 by turns.
std::shared_ptr<MadeSource> twoDomains() {
    MadeSession what;
    what.tokens = 260;
    what.documents = 13;
    auto source = std::make_shared<MadeSource>(what);
    text::TokenizedCorpus& corpus = source->head().corpus;
    corpus.domains = {"a", "unused", "b"};
    corpus.domainOf.clear();
    for (std::size_t t = 0; t < what.tokens; ++t) {
        corpus.ids[t] = static_cast<std::uint32_t>(t % 7);
    }
    NdArray ids(ElementType::U8, {what.tokens, 2});
    for (std::uint64_t d = 0; d < 13; ++d) {
        const bool isA = d % 2 == 0;
        corpus.domainOf.push_back(d == 12 ? -1 : isA ? 0 : 2);
        for (std::uint64_t t = corpus.offsets[d]; t < corpus.offsets[d + 1]; ++t) {
            ids.values<std::uint8_t>()[2 * t] = static_cast<std::uint8_t>(isA ? 0 : 2 + t % 6);
            ids.values<std::uint8_t>()[2 * t + 1] =
                static_cast<std::uint8_t>(isA ? 1 : 2 + (t + 1) % 6);
        }
    }
    source->put("chosen_experts", "ids", LayerId{1}, std::move(ids));
    return source;
}

Figure build(const std::shared_ptr<MadeSource>& source, const char* name,
             std::optional<int> layer = 1, std::optional<TokenSelection> tokens = {}) {
    FigureRequest request;
    request.figure = name;
    request.layer = layer ? std::optional(LayerId{*layer}) : std::nullopt;
    request.tokens = std::move(tokens);
    return FigureBuilder(source).build(request);
}

/// Why a damaged session is not drawn.
std::string refusal(const std::shared_ptr<MadeSource>& source, const char* name,
                    std::optional<int> layer) {
    try {
        (void)build(source, name, layer);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::BadSession);
        return error.what();
    }
    return {};
}

const HeatMapPanel& panelOf(const Figure& figure, std::size_t index = 0) {
    return std::get<HeatMapFigure>(figure.body).panels.at(index);
}

}  // namespace

TEST_CASE("domain-share: rows are domains with tokens and the whole text", "[core][figures]") {
    const Figure figure = build(twoDomains(), "domain-share");
    const auto& body = std::get<HeatMapFigure>(figure.body);
    REQUIRE(body.panels.size() == 3);
    CHECK(body.panels[0].title == "first choice");
    CHECK(body.panels[2].title == "either");
    for (const HeatMapPanel& panel : body.panels) {
        CHECK(panel.rowLabels == std::vector<std::string>{"a", "b", "all text"});
        for (std::size_t row = 0; row < 3; ++row) {
            float sum = 0.0F;
            for (std::size_t e = 0; e < kExperts; ++e) {
                sum += panel.matrix.at(row, e);
                CHECK(panel.low.at(row, e) <= panel.matrix.at(row, e) + 1e-6F);
                CHECK(panel.high.at(row, e) >= panel.matrix.at(row, e) - 1e-6F);
            }
            CHECK(sum == Approx(1.0F));
        }
    }
    CHECK(body.panels[0].matrix.at(0, 0) == 1.0F);
    CHECK(body.panels[1].matrix.at(0, 1) == 1.0F);
    CHECK(body.panels[2].matrix.at(0, 0) == 0.5F);
    CHECK(body.panels[2].matrix.at(1, 0) == 0.0F);
    // 7 of 13 documents choose like domain a.
    CHECK(body.panels[0].matrix.at(2, 0) == Approx(7.0F / 13.0F));
    CHECK(body.panels[0].cellMarks[0] == 1);
    CHECK(figure.howToRead.find("1/8 = 0.125") != std::string::npos);
    CHECK(figure.provenance.experiment == "domain_share");
    const std::string csv = toCsv(figure);
    CHECK(csv.find("panel,domain,expert,share of assignments,low,high,differs from all text") !=
          std::string::npos);
    CHECK(csv.find("first choice,a,0,1,1,1,1\n") != std::string::npos);
}

TEST_CASE("domain-share: no mark where domains mean nothing", "[core][figures]") {
    auto source = twoDomains();
    for (std::size_t d = 0; d < 12; ++d) {
        source->head().corpus.domainOf[d] = d % 4 < 2 ? 0 : 2;
    }
    const Figure figure = build(source, "domain-share");
    const auto& marks = panelOf(figure).cellMarks;
    CHECK(std::count(marks.begin(), marks.end(), 1) == 0);
}

TEST_CASE("domain-specialisation: of tokens, k in all", "[core][figures]") {
    const Figure figure = build(twoDomains(), "domain-specialisation");
    CHECK(panelOf(figure).matrix.at(0, 0) == 1.0F);
    CHECK(panelOf(figure).matrix.at(0, 1) == 1.0F);
    CHECK(panelOf(figure).matrix.at(1, 2) == Approx(2.0F / 6.0F).margin(0.02));
    CHECK(figure.howToRead.find("2/8 = 0.250") != std::string::npos);
}

TEST_CASE("domain-share: a text without domains is one row and says how to have some",
          "[core][figures]") {
    const auto source = std::make_shared<MadeSource>(MadeSession{});
    source->head().corpus.domains.clear();
    const Figure figure = build(source, "domain-share");
    CHECK(panelOf(figure).rowLabels == std::vector<std::string>{"all text"});
    CHECK(figure.howToRead.find("a column of a table") != std::string::npos);
    const Figure all = build(source, "domain-share", std::nullopt);
    CHECK(std::get<HeatMapFigure>(all.body).panels.size() == 3);
    CHECK(panelOf(all).layer == LayerId{1});
}

TEST_CASE("repetition: within documents, per layer and domain", "[core][figures]") {
    const Figure table = build(twoDomains(), "repetition-table");
    CHECK(column(table, "domain").texts.front() == "a");
    CHECK(column(table, "positions").numbers[0] == 6.0 * 19.0);
    CHECK(column(table, "first choice").numbers[0] == 1.0);
    CHECK(column(table, "first choice").numbers[1] == 0.0);
    // Neighbours share one of two: 2 3, 3 4, ...
    CHECK(column(table, "first or second choice").numbers[1] == 1.0);
    const auto& body = std::get<TableFigure>(table.body);
    CHECK(body.summaryRows == 2);
    REQUIRE(body.rows == 2 + 8 + 2);  // published rows beside those of 2 of 8 experts
    CHECK(column(table, "first choice").numbers[2] == Approx(0.279));  // ArXiv, layer 15
    CHECK(column(table, "first choice").numbers.back() == 0.125);
    CHECK(column(table, "first or second choice").numbers.back() == Approx(1.0 - 15.0 / 28.0));
    const Figure lines = build(twoDomains(), "repetition", std::nullopt);
    const auto& chart = std::get<LineChartFigure>(lines.body);
    REQUIRE(chart.groups.size() == 2);
    CHECK(chart.groups[0].reference == 0.125);
    CHECK(std::isnan(chart.groups[0].panels[0].lines[0][0]));  // a dense layer
    CHECK(chart.groups[0].panels[0].lines[0][1] == Approx(7.0 / 13.0));
    const auto& first = chart.groups[0].panels[0];
    CHECK(first.lineLow[0][1] < first.lines[0][1]);  // documents differ, so another text would
    CHECK(first.lineHigh[0][1] > first.lines[0][1]);
    const auto& names = column(table, "domain").texts;
    const auto all =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), "all text") - names.begin());
    CHECK(first.lineLow[0][1] == column(table, "from").numbers[all]);
    CHECK(first.lineHigh[0][1] == column(table, "to").numbers[all]);
    CHECK(toCsv(lines).find("\"all text, from\"") != std::string::npos);
    CHECK(chart.groups[0].panels[0].low[1] == 0.0);
    CHECK(chart.groups[0].panels[0].high[1] == 1.0);
}

TEST_CASE("load-balance: even, uneven and idle", "[core][figures]") {
    auto source = twoDomains();
    NdArray ids(ElementType::U8, {260, 2});
    for (std::size_t i = 0; i < 520; ++i) {
        ids.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);  // all tokens to 0 and 1
    }
    source->put("chosen_experts", "ids", LayerId{2}, std::move(ids));
    const Figure map = build(source, "load-balance", std::nullopt);
    CHECK(panelOf(map).rowLabels == std::vector<std::string>{"1", "2", "3"});
    CHECK(panelOf(map).matrix.at(1, 0) == 4.0F);
    CHECK(panelOf(map).matrix.at(1, 2) == 0.0F);
    const Figure table = build(source, "load-table", std::nullopt);
    CHECK(column(table, "idle").numbers[1] == 6.0);
    CHECK(column(table, "max/mean").numbers[1] == 4.0);
    CHECK(column(table, "dropped at 1").numbers[1] == Approx(0.75));
    const Figure curve = build(source, "load-curve", 2);
    const auto& lines = std::get<LineChartFigure>(curve.body).groups[0].panels[0].lines;
    CHECK(lines[0][6] == 0.0);
    CHECK(lines[0][7] == 0.5);
    CHECK(lines[1][4] == 0.5);
}

TEST_CASE("coactivation: of the row's tokens, not symmetric", "[core][figures]") {
    const Figure figure = build(twoDomains(), "coactivation");
    CHECK(panelOf(figure).matrix.at(0, 1) == 1.0F);
    CHECK(panelOf(figure).matrix.at(0, 2) == 0.0F);
    CHECK(panelOf(figure).matrix.at(2, 3) == Approx(0.5F).margin(0.05));
    CHECK(std::get<HeatMapFigure>(figure.body).diagonalMasked);
    const Figure table = build(twoDomains(), "coactivation-table");
    CHECK(column(table, "expert").numbers.front() == 0.0);
    CHECK(column(table, "with").numbers.front() == 1.0);
    CHECK(column(table, "tokens").numbers.front() == 140.0);
    const double share = 140.0 / 260.0;
    const double byChance = column(table, "expected share").numbers.front();
    CHECK(byChance < share * share);  // a token chooses two: less than independent coins
    CHECK(column(table, "lift").numbers.front() == Approx(share / byChance));
    CHECK(column(table, "beyond chance").texts.front() == "more");
    // 13 documents drawn anew, 7 of which have nothing but this pair.
    const auto below = [](int draws) {
        double chance = 0.0;
        double choose = 1.0;
        for (int n = 0; n <= draws; choose *= (13.0 - n) / (n + 1.0), ++n) {
            chance += choose * std::pow(7.0 / 13.0, n) * std::pow(6.0 / 13.0, 13 - n);
        }
        return chance;
    };
    const int from = static_cast<int>(std::lround(column(table, "from").numbers.front() * 13.0));
    const int to = static_cast<int>(std::lround(column(table, "to").numbers.front() * 13.0));
    CHECK(below(from - 1) < 0.03);
    CHECK(below(from) > 0.02);
    CHECK(below(to - 1) < 0.98);
    CHECK(below(to) > 0.97);
    const HeatMapPanel& panel = panelOf(figure);
    CHECK(panel.low.at(0, 1) == 1.0F);  // in every document that has it
    CHECK(panel.low.at(2, 3) <= panel.matrix.at(2, 3));
    CHECK(panel.high.at(2, 3) >= panel.matrix.at(2, 3));
    CHECK(panel.cellMarks[1] == HeatMapPanel::kMarked);      // always together
    CHECK(panel.cellMarks[2] == HeatMapPanel::kMarkedOpen);  // never
    const std::string csv = toCsv(figure);
    CHECK(csv.find(",share of i's tokens,low,high,more than by chance,fewer than by chance\n") !=
          std::string::npos);
    CHECK(csv.find("\n,0,1,1,1,1,1,0\n") != std::string::npos);
    CHECK(panelOf(build(twoDomains(), "coactivation", std::nullopt)).low.values.empty());
}

TEST_CASE("coactivation: intervals over documents hold what is true", "[core][figures]") {
    // Tokens choose {0, 1}, or else {0, 2} or {2, 3}; a document has a taste of its own for the
    // first, 1/2 on average: of expert 0's tokens 2/3 choose 1 as well.
    for (const std::size_t documents : {40U, 400U}) {
        numerics::RandomBits random(documents);
        const auto uniform = [&] { return static_cast<double>(random() >> 11U) * 0x1p-53; };
        constexpr int kTexts = 150;
        int held = 0;
        for (int text = 0; text < kTexts; ++text) {
            MadeSession what;
            what.documents = documents;
            what.tokens = documents * 12;
            auto source = std::make_shared<MadeSource>(what);
            NdArray ids(ElementType::U8, {what.tokens, 2});
            auto id = ids.values<std::uint8_t>().begin();
            for (std::size_t d = 0; d < documents; ++d) {
                const double taste = uniform();
                for (int token = 0; token < 12; ++token) {
                    const bool isPair = uniform() < taste;
                    const bool hasFirst = isPair || uniform() < 0.5;
                    *id++ = static_cast<std::uint8_t>(hasFirst ? 0 : 3);
                    *id++ = static_cast<std::uint8_t>(isPair ? 1 : 2);
                }
            }
            source->put("chosen_experts", "ids", LayerId{1}, std::move(ids));
            const Figure figure = build(source, "coactivation");
            const HeatMapPanel& panel = panelOf(figure);
            const bool isDrawn =
                figure.howToRead.find("200 random parts of the 400 documents") != std::string::npos;
            REQUIRE(isDrawn == (documents == 400));
            held += panel.low.at(0, 1) <= 2.0F / 3.0F && panel.high.at(0, 1) >= 2.0F / 3.0F ? 1 : 0;
        }
        CAPTURE(documents, held);
        CHECK(held >= kTexts * 89 / 100);
        CHECK(held <= kTexts * 99 / 100);
    }
}

TEST_CASE("repeatedShare: passages of 32 tokens that stand in the text before", "[core][figures]") {
    std::vector<text::TokenId> ids(200);
    std::iota(ids.begin(), ids.end(), 1000U);
    const std::vector<std::uint64_t> one{0, 200};
    CHECK(repeatedShare(ids, one) == 0.0);
    std::copy_n(ids.begin() + 10, 31, ids.begin() + 100);  // one token too few
    CHECK(repeatedShare(ids, one) == 0.0);
    std::copy_n(ids.begin() + 10, 40, ids.begin() + 100);
    CHECK(repeatedShare(ids, one) == Approx(40.0 / 200.0));
    std::copy_n(ids.begin() + 10, 32, ids.begin() + 150);
    CHECK(repeatedShare(ids, one) == Approx(72.0 / 200.0));
    // No passage goes from one document into the next.
    const std::vector<std::uint64_t> cut{0, 20, 116, 166, 200};
    CHECK(repeatedShare(ids, cut) == 0.0);
    CHECK(repeatedShare(std::vector<text::TokenId>(100, 7), std::vector<std::uint64_t>{0, 100}) ==
          Approx(0.99));  // all but the first token
    CHECK(repeatedShare({}, {}) == 0.0);
    // A slow twin, on few different ids.
    numerics::RandomBits random(3);
    ids.resize(3000);
    for (text::TokenId& id : ids) {
        id = static_cast<text::TokenId>(random.below(3));
    }
    for (std::size_t at : {700U, 1500U, 2200U}) {
        std::copy_n(ids.begin() + 50, 45, ids.begin() + static_cast<std::ptrdiff_t>(at));
    }
    std::vector<bool> isRepeated(ids.size());
    for (std::size_t b = 0; b + kPassage <= ids.size(); ++b) {
        for (std::size_t a = 0; a < b; ++a) {
            if (std::equal(ids.begin() + static_cast<std::ptrdiff_t>(a),
                           ids.begin() + static_cast<std::ptrdiff_t>(a + kPassage),
                           ids.begin() + static_cast<std::ptrdiff_t>(b))) {
                std::fill_n(isRepeated.begin() + static_cast<std::ptrdiff_t>(b), kPassage, true);
            }
        }
    }
    const auto repeated =
        static_cast<double>(std::count(isRepeated.begin(), isRepeated.end(), true));
    CHECK(repeated >= 3 * 45);
    CHECK(repeatedShare(ids, std::vector<std::uint64_t>{0, ids.size()}) ==
          Approx(repeated / 3000.0));
}

TEST_CASE("vocabulary-specialisation: repeated passages and few documents are said",
          "[core][figures]") {
    const auto source = twoDomains();  // ids by turns, documents of 20 tokens
    CHECK(build(source, "vocabulary-specialisation").howToRead.find("repeats") ==
          std::string::npos);
    text::TokenizedCorpus& corpus = source->head().corpus;
    corpus.offsets = {0, 130, 260};
    corpus.sources.resize(2);
    corpus.domainOf.resize(2);
    const std::string said = build(source, "vocabulary-specialisation").howToRead;
    CHECK(said.find("97 % of the text repeats passages of 32 tokens") != std::string::npos);
    CHECK(said.find("2 documents: what is beyond chance") != std::string::npos);
}

TEST_CASE("coactivation: few documents say so", "[core][figures]") {
    const auto saidOf = [](std::uint64_t tokens) {
        return build(twoDomains(), "coactivation-table", 1, TokenSelection(TokenRange{0, tokens}))
            .howToRead;
    };
    CHECK(saidOf(260).find("say little") == std::string::npos);
    CHECK(saidOf(60).find("of 3 they say little") != std::string::npos);
    CHECK(saidOf(20).find("One document") != std::string::npos);
}

TEST_CASE("coactivation: intervals that are left out say so", "[core][figures]") {
    MadeSession what;
    what.experts = 128;
    what.documents = 100;
    what.tokens = 1000;
    const auto source = std::make_shared<MadeSource>(what);
    NdArray ids(ElementType::U8, {what.tokens, 2});
    for (std::size_t i = 0; i < ids.size(); ++i) {
        ids.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 128);
    }
    source->put("chosen_experts", "ids", LayerId{1}, std::move(ids));
    const Figure figure = build(source, "coactivation");
    CHECK(panelOf(figure).low.values.empty());
    CHECK(figure.howToRead.find("No intervals") != std::string::npos);
    CHECK(build(twoDomains(), "coactivation").howToRead.find("No intervals") == std::string::npos);
}

TEST_CASE("paths: rows sum to 1, the last layer leads nowhere", "[core][figures]") {
    const Figure figure = build(twoDomains(), "paths");
    for (std::size_t i = 0; i < kExperts; ++i) {
        float sum = 0.0F;
        for (std::size_t j = 0; j < kExperts; ++j) {
            sum += panelOf(figure).matrix.at(i, j);
        }
        CHECK((std::isnan(sum) || sum == Approx(1.0F)));
    }
    CHECK(std::isnan(panelOf(figure).matrix.at(1, 0)));  // never a first choice
    CHECK(std::holds_alternative<NoticeFigure>(build(twoDomains(), "paths", 3).body));
}

namespace {

/// A text of 60 ids, each of which always chooses the same two of the experts.
std::shared_ptr<MadeSource> ownExperts() {
    constexpr std::size_t kTokens = 3000;
    MadeSession what;
    what.tokens = kTokens;
    what.documents = 30;
    auto source = std::make_shared<MadeSource>(what);
    numerics::RandomBits random(7);
    NdArray ids(ElementType::U8, {kTokens, 2});
    for (std::size_t t = 0; t < kTokens; ++t) {
        // Some ids are rare: the lower of two draws.
        const std::size_t id = std::min(random.below(60), random.below(60));
        source->head().corpus.ids[t] = static_cast<std::uint32_t>(id);
        ids.values<std::uint8_t>()[2 * t] = static_cast<std::uint8_t>(id % kExperts);
        ids.values<std::uint8_t>()[2 * t + 1] = static_cast<std::uint8_t>((id + 3) % kExperts);
    }
    source->put("chosen_experts", "ids", LayerId{1}, std::move(ids));
    return source;
}

/// The same choices, dealt out anew among the tokens.
void permuteChoices(MadeSource& source, std::uint64_t seed) {
    NdArray ids = source.read({BranchId{}, "chosen_experts", "ids"}, LayerId{1});
    const std::span<std::uint8_t> values = ids.values<std::uint8_t>();
    numerics::RandomBits random(seed);
    for (std::size_t left = values.size() / 2; left > 1; --left) {
        const std::size_t other = random.below(left);
        std::swap_ranges(&values[2 * (left - 1)], &values[2 * (left - 1)] + 2, &values[2 * other]);
    }
    source.put("chosen_experts", "ids", LayerId{1}, std::move(ids));
}

std::ptrdiff_t beyondChance(const Figure& figure, const std::string& as) {
    const auto& readings = column(figure, "as").texts;
    const auto& marks = column(figure, "beyond chance").texts;
    std::ptrdiff_t count = 0;
    for (std::size_t row = 0; row < marks.size(); ++row) {
        count += readings[row] == as && marks[row] == "yes" ? 1 : 0;
    }
    return count;
}

}  // namespace

TEST_CASE("vocabulary-specialisation: choices dealt out anew show none", "[core][figures]") {
    const auto source = ownExperts();
    const Figure figure = build(source, "vocabulary-specialisation");
    const auto& shares = column(figure, "share").numbers;
    CHECK(*std::max_element(shares.begin(), shares.end()) == 1.0);
    for (std::size_t row = 0; row < shares.size(); ++row) {
        CHECK((shares[row] == 1.0) == (column(figure, "as").texts[row] == "input" &&
                                       column(figure, "beyond chance").texts[row] == "yes"));
    }
    // What follows says nothing here: each token is drawn by itself.
    CHECK(beyondChance(figure, "input") > 50);
    CHECK(beyondChance(figure, "next") == 0);
    // At a false discovery rate of 0.05 one deal of twenty may have a mark where there is nothing.
    constexpr int kDeals = 40;
    int marked = 0;
    double highest = 0.0;
    for (int deal = 0; deal < kDeals; ++deal) {
        permuteChoices(*source, static_cast<std::uint64_t>(deal));
        const Figure dealt = build(source, "vocabulary-specialisation");
        marked += beyondChance(dealt, "input") > 0 ? 1 : 0;
        const auto& found = column(dealt, "share").numbers;
        highest = std::max(highest, *std::max_element(found.begin(), found.end()));
        const auto& means = column(dealt, "mean share").numbers;
        for (std::size_t row = 0; row < means.size(); ++row) {
            CHECK(means[row] == Approx(column(dealt, "of all").numbers[row]).margin(0.06));
        }
    }
    CHECK(highest > 0.6);  // rare ids have large shares by chance
    CHECK(marked <= 6);    // more than six of forty: a chance of 0.003
}

TEST_CASE("vocabulary-specialisation: of ids seen often enough", "[core][figures]") {
    const auto source = twoDomains();
    const Figure figure = build(source, "vocabulary-specialisation");
    // Counted plainly.
    const auto& corpus = source->head().corpus;
    std::map<std::uint32_t, std::pair<int, int>> seen;  // occurrences, to expert 0
    for (std::uint64_t t = 0; t < 260; ++t) {
        ++seen[corpus.ids[t]].first;
        seen[corpus.ids[t]].second += (t / 20) % 2 == 0 ? 1 : 0;
    }
    double most = 0.0;
    for (const auto& [id, counts] : seen) {
        if (counts.first >= 10) {
            most = std::max(most, static_cast<double>(counts.second) / counts.first);
        }
    }
    CHECK(column(figure, "expert").numbers[0] == 0.0);
    CHECK(column(figure, "as").texts[0] == "input");
    CHECK(column(figure, "share").numbers[0] == Approx(most));
    CHECK(column(figure, "for example").texts[0].find("\xC2\xBB") != std::string::npos);
    const auto& as = column(figure, "as").texts;
    CHECK(std::set<std::string>(as.begin(), as.end()) == std::set<std::string>{"input", "next"});
    const auto& body = std::get<TableFigure>(figure.body);
    REQUIRE(body.tokens.size() == body.rows);
    for (std::size_t row = 0; row < body.rows; ++row) {  // examples are tokens that it took
        const auto routing = FigureBuilder(source).routing(LayerId{1});
        const std::uint64_t token = body.tokens[row];
        CHECK((routing->id(token, 0) == body.experts[row] ||
               routing->id(token, 1) == body.experts[row]));
    }
    NdArray predicted(ElementType::U32, {260});
    std::fill(predicted.values<std::uint32_t>().begin(), predicted.values<std::uint32_t>().end(),
              99);
    source->put("expert_removal", "predicted", std::nullopt, std::move(predicted));
    const Figure with = build(source, "vocabulary-specialisation");
    CHECK(column(with, "as").texts.back() == "predicted");
    CHECK(column(with, "token").texts.back() == "id 99");  // stands nowhere in the text
    CHECK(column(with, "seen").numbers.back() == 260.0);
    for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), -1.0, 0.5, 1e300}) {
        std::vector<double> values(260, 1.0);
        values[7] = wrong;
        source->put("expert_removal", "predicted", std::nullopt,
                    NdArray::from<double>({260}, values));
        CHECK(
            refusal(source, "vocabulary-specialisation", 1).find("expert_removal/predicted has") !=
            std::string::npos);
    }
    source->put("expert_removal", "predicted", std::nullopt, NdArray(ElementType::U32, {7}));
    CHECK_THROWS_AS(build(source, "vocabulary-specialisation"), Error);
    source->remove("expert_removal");
    const Figure few = build(source, "vocabulary-specialisation", 1, TokenRange{0, 5});
    CHECK(std::holds_alternative<NoticeFigure>(few.body));
}

TEST_CASE("Figures of routing: all tokens selected is no selection", "[core][figures]") {
    const auto source = twoDomains();
    for (const char* name :
         {"domain-share", "domain-specialisation", "repetition-table", "load-table", "load-balance",
          "load-curve", "coactivation", "coactivation-table", "paths", "repetition",
          "vocabulary-specialisation"}) {
        CAPTURE(name);
        const bool perLayer = findFigure(name)->perLayer;
        const auto layer = perLayer ? std::optional(1) : std::nullopt;
        const std::string whole = toCsv(build(source, name, layer));
        CHECK(toCsv(build(source, name, layer, TokenRange{0, 260})) == whole);
        CHECK(toCsv(build(source, name, layer, TokenRange{30, 200})) != whole);
    }
}

TEST_CASE("Figures of routing: tokens that are apart are not neighbours", "[core][figures]") {
    const TokenSelection apart({{0, 1}, {2, 1}, {20, 3}});
    const Figure table = build(twoDomains(), "repetition-table", 1, apart);
    CHECK(column(table, "positions").numbers[0] == 0.0);
    CHECK(column(table, "positions").numbers[1] == 2.0);
    const Figure share = build(twoDomains(), "domain-share", 1, apart);
    CHECK(panelOf(share).matrix.at(2, 0) == Approx(2.0F / 5.0F));
    CHECK(share.title.find("3 ranges") != std::string::npos);
}
