// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/options.h"

#include "core/experiments/catalogue.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using namespace moescope::experiments;
using moescope::tests::checkThrows;

TEST_CASE("ExperimentOptions: each experiment sees its own part only", "[core][experiments]") {
    const ExperimentOptions options{.relativeTo = RelativeTo::Mean,
                                    .skipFirstToken = true,
                                    .keptTokenCount = 7,
                                    .keptTokens = KeptTokens::Spread};
    CHECK(optionsJson("weight_similarity", options) == R"({"relative_to":"mean"})");
    CHECK(optionsJson("rank_counts", options) == R"({"skip_first_token":true})");
    CHECK(optionsJson("output_similarity", options) ==
          R"({"kept_token_count":7,"kept_tokens":"spread","skip_first_token":true})");
    CHECK(optionsJson("intermediate_states", options) ==
          R"({"activity_threshold":0.001,"kept_token_count":8,"kept_tokens":"spread",)"
          R"("skip_first_token":true})");
    CHECK(optionsJson("chosen_experts", options) == "{}");
    const ExperimentOptions statics{.routerAgainst = WeightMeasure::Matrix,
                                    .projection = Scaling::Raw,
                                    .outlierRadius = 2.5,
                                    .outlierNeighbours = 3};
    CHECK(optionsJson("router_similarity", statics) == R"({"router_against":"matrix"})");
    CHECK(optionsJson("expert_projection", statics) ==
          R"({"outlier_neighbours":3,"outlier_radius":2.5,"projection":"raw"})");
    const ExperimentOptions matching{.matching = Matching::Joint,
                                     .matchRoles = {"up"},
                                     .matchPairs = {{"2", "F"}, {"0", "1"}, {"2", "F"}}};
    CHECK(optionsJson("matched_similarity", matching) ==
          R"({"matching":"joint","pairs":["0:1","2:F"],"roles":["up"]})");
    CHECK(optionsJson("matched_similarity", {}) == R"({"matching":"separate"})");
    const std::string again = optionsJson("matched_similarity", matching);
    CHECK(optionsJson("matched_similarity", parseOptions("matched_similarity", again)) == again);
    for (const char* id : {"router_similarity", "expert_projection"}) {
        const std::string json = optionsJson(id, statics);
        CHECK(optionsJson(id, parseOptions(id, json)) == json);
    }
    CHECK(parseOptions("output_similarity", optionsJson("output_similarity", options)) ==
          ExperimentOptions{
              .skipFirstToken = true, .keptTokenCount = 7, .keptTokens = KeptTokens::Spread});
}

TEST_CASE("ExperimentOptions: every experiment's defaults survive the round trip",
          "[core][experiments]") {
    for (const ExperimentInfo& info : catalogue()) {
        CHECK(parseOptions(info.id, "{}") == ExperimentOptions{});
        CHECK(parseOptions(info.id, optionsJson(info.id, {})) == ExperimentOptions{});
    }
}

TEST_CASE("ExperimentOptions: what is not understood is refused by name", "[core][experiments]") {
    for (const char* text :
         {"[]", "no json", R"({"unknown":1})", R"({"kept_token_count":-1})",
          R"({"kept_tokens":"last"})", R"({"skip_first_token":1})", R"({"relative_to":"mean"})"}) {
        CAPTURE(text);
        checkThrows([&] { static_cast<void>(parseOptions("output_similarity", text)); },
                    ErrorCode::Usage, {"output_similarity"});
    }
}

TEST_CASE("ExperimentOptions: a radius must be positive", "[core][experiments]") {
    for (const char* text :
         {R"({"outlier_radius":0})", R"({"outlier_radius":-1})", R"({"outlier_radius":"50"})",
          R"({"outlier_neighbours":-5})", R"({"projection":"scaled"})"}) {
        CAPTURE(text);
        checkThrows([&] { static_cast<void>(parseOptions("expert_projection", text)); },
                    ErrorCode::Usage, {"expert_projection"});
    }
}

TEST_CASE("ExperimentOptions: pairs and roles must make sense", "[core][experiments]") {
    for (const char* text : {R"({"roles":["router"]})", R"({"roles":"gate"})", R"({"pairs":["1"]})",
                             R"({"pairs":["1:1"]})", R"({"pairs":[":2"]})", R"({"pairs":[1]})",
                             R"({"matching":"both"})"}) {
        CAPTURE(text);
        checkThrows([&] { static_cast<void>(parseOptions("matched_similarity", text)); },
                    ErrorCode::Usage, {});
    }
}

TEST_CASE("tokenIndices: the first ones or spread, never more than there are",
          "[core][experiments]") {
    using Indices = std::vector<std::uint64_t>;
    CHECK(tokenIndices(KeptTokens::First, 3, 10) == Indices{0, 1, 2});
    CHECK(tokenIndices(KeptTokens::Spread, 3, 10) == Indices{0, 3, 6});
    CHECK(tokenIndices(KeptTokens::Spread, 9, 2) == Indices{0, 1});
    CHECK(tokenIndices(KeptTokens::First, 64, 0).empty());
}

TEST_CASE("Options: bytes for single tokens, and nothing said of the default",
          "[core][experiments]") {
    // Sessions from before there was such an option stay what they are.
    CHECK(optionsJson("norms_scores", {}) == "{}");
    const ExperimentOptions options{.keptBytes = 4096, .keptTokens = KeptTokens::Spread};
    CHECK(optionsJson("norms_scores", options) == R"({"kept_bytes":4096,"kept_tokens":"spread"})");
    for (const char* id : {"norms_scores", "output_similarity", "intermediate_states"}) {
        const ExperimentOptions again = parseOptions(id, optionsJson(id, options));
        CHECK(again.keptBytes == options.keptBytes);
        CHECK(again.keptTokens == options.keptTokens);
    }
    CHECK(optionsJson("rank_counts", options) == optionsJson("rank_counts", {}));
}

TEST_CASE("Options: tokens to keep can be named", "[core][experiments]") {
    ExperimentOptions options{.keptTokenCount = kEveryListed,
                              .keptStateCount = 5,
                              .keptTokens = KeptTokens::Listed,
                              .keptList = "100-163,4000",
                              .keptDocuments = "2"};
    CHECK(optionsJson("output_similarity", options) ==
          R"({"kept_documents":"2","kept_list":"100-163,4000","kept_tokens":"listed",)"
          R"("skip_first_token":false})");
    CHECK(optionsJson("intermediate_states", options) ==
          R"({"activity_threshold":0.001,"kept_documents":"2","kept_list":"100-163,4000",)"
          R"("kept_token_count":5,"kept_tokens":"listed","skip_first_token":false})");
    // Norms and scores are kept of all tokens anyway.
    CHECK(optionsJson("norms_scores", options) == "{}");
    for (const char* id : {"output_similarity", "intermediate_states"}) {
        const std::string json = optionsJson(id, options);
        CHECK(optionsJson(id, parseOptions(id, json)) == json);
    }
    // One list, one text: sessions compare it.
    CHECK(parseOptions("output_similarity", R"({"kept_tokens":"listed","kept_list":"4,0-2,3"})")
              .keptList == "0-4");
    for (const char* bad : {R"({"kept_tokens":"listed"})", R"({"kept_list":"1"})",
                            R"({"kept_tokens":"listed","kept_list":"5-4"})",
                            R"({"kept_tokens":"listed","kept_list":7})"}) {
        CAPTURE(bad);
        checkThrows([&] { static_cast<void>(parseOptions("output_similarity", bad)); },
                    ErrorCode::Usage, {});
    }
}

TEST_CASE("Options: sets to remove come to those that are there", "[core][experiments]") {
    const auto joined = [](const char* there, const char* asked) {
        return experiments::joinedOptions("expert_removal", there, asked);
    };
    CHECK(joined("{}", "{}") == "{}");
    CHECK(joined("{}", R"({"sets":["0:1"],"controls":3})") ==
          R"({"controls":3,"sets":["all","0:1"]})");
    CHECK(joined(R"({"sets":["0:1"],"controls":3})", "{}") ==
          R"({"controls":3,"sets":["all","0:1"]})");
    CHECK(joined(R"({"sets":["0:1"],"controls":3})", R"({"sets":["2","1:0,0:1","0:1"]})") ==
          R"({"controls":5,"sets":["0:1","2","0:1,1:0"]})");
    CHECK(joined(R"({"sets":["0:1"],"controls":7,"kept_bytes":9})",
                 R"({"sets":["0:1"],"controls":1})") ==
          R"({"controls":7,"kept_bytes":9,"sets":["0:1"]})");
    // An interrupted run goes on with what it was about.
    CHECK(experiments::joinedOptions("expert_removal", R"({"sets":["0:1"],"controls":3})", "{}",
                                     true) == R"({"controls":3,"sets":["0:1"]})");
    CHECK(experiments::joinedOptions("expert_removal", R"({"sets":["0:1"],"controls":3})",
                                     R"({"sets":["2"],"controls":3})",
                                     true) == R"({"controls":3,"sets":["0:1","2"]})");
    CHECK(experiments::joinedOptions("expert_removal", "{}", "{}", true) == "{}");
    // Of the others the newer options stand.
    CHECK(experiments::joinedOptions("rank_counts", R"({"skip_first_token":true})",
                                     R"({"skip_first_token":false})") ==
          R"({"skip_first_token":false})");
}

TEST_CASE("Options: prune lists come to those that are there", "[core][experiments]") {
    ExperimentOptions options;
    options.lists = {{"a", "1:2,0:3"}, {"b", "2"}};
    const std::string json = optionsJson("pruning", options);
    CHECK(json == R"({"lists":[{"experts":"0:3,1:2","name":"a"},{"experts":"2","name":"b"}]})");
    CHECK(optionsJson("pruning", parseOptions("pruning", json)) == json);
    CHECK(optionsJson("pruning", {}) == "{}");
    CHECK(optionsJson("expert_removal", options) == "{}");
    // The same list again is none; another one under its name gets a name of its own.
    const std::string asked =
        R"({"lists":[{"experts":"1:2,0:3","name":"a"},{"experts":"1:1","name":"b"}]})";
    const std::string joined = experiments::joinedOptions("pruning", json, asked);
    CHECK(joined == R"x({"lists":[{"experts":"0:3,1:2","name":"a"},{"experts":"2","name":"b"},)x"
                    R"x({"experts":"1:1","name":"b (2)"}]})x");
    CHECK(experiments::joinedOptions("pruning", joined, asked) == joined);
    CHECK(experiments::joinedOptions("pruning", joined, "{}") == joined);
    // Without the curves, until either has them.
    const std::string alone = R"({"curves":false,"lists":[{"experts":"0:1","name":"c"}]})";
    CHECK(optionsJson("pruning", parseOptions("pruning", alone)) == alone);
    CHECK(experiments::joinedOptions("pruning", alone, alone) == alone);
    const std::string both = R"({"lists":[{"experts":"0:1","name":"c"}]})";
    CHECK(experiments::joinedOptions("pruning", alone, "{}") == both);
    CHECK(experiments::joinedOptions("pruning", "{}", alone) == both);
    for (const char* bad :
         {R"({"curves":1})", R"({"lists":["0:1"]})", R"({"lists":[{"name":"a"}]})",
          R"({"lists":[{"name":"a","experts":"0:"}]})", R"({"lists":7})", R"({"lists":[7]})"}) {
        CAPTURE(bad);
        checkThrows([&] { static_cast<void>(parseOptions("pruning", bad)); }, ErrorCode::Usage, {});
    }
    checkThrows([] { static_cast<void>(parseOptions("expert_removal", R"({"controls":1001})")); },
                ErrorCode::Usage, {"controls"});
}
