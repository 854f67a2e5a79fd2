// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/values.h"

#include "core/experiments/catalogue.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

using namespace moescope;
using namespace moescope::cli;
using moescope::tests::checkThrows;
using Strings = std::vector<std::string>;

TEST_CASE("parseByteSize: numbers with binary units", "[app][cli]") {
    CHECK(parseByteSize("4096") == 4096);
    CHECK(parseByteSize("8G") == (std::uint64_t{8} << 30U));
    CHECK(parseByteSize("8g") == (std::uint64_t{8} << 30U));
    CHECK(parseByteSize("512MB") == (std::uint64_t{512} << 20U));
    CHECK(parseByteSize("1.5KiB") == 1536);
    CHECK(parseByteSize("2T") == (std::uint64_t{2} << 40U));
    for (const char* wrong : {"", "G", "8X", "-1G", "0", "8Gi", "8 G", "nan", "inf", "1e300T"}) {
        CAPTURE(wrong);
        checkThrows([&] { static_cast<void>(parseByteSize(wrong)); }, ErrorCode::Usage, {"8G"});
    }
}

TEST_CASE("parseDevice and parseDtype: known words only", "[app][cli]") {
    for (const char* right : {"auto", "cpu", "cuda", "cuda:0", "cuda:12", "cuda:0,cuda:1"}) {
        CHECK(parseDevice(right) == right);
    }
    for (const char* wrong : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU", "cuda:0,", ",cuda:0",
                              "cuda:1,cuda:1", "cpu,cuda:0", "cuda,cuda:0"}) {
        CAPTURE(wrong);
        checkThrows([&] { static_cast<void>(parseDevice(wrong)); }, ErrorCode::Usage, {"cuda:N"});
    }
    CHECK(parseDtype("bf16") == "bfloat16");
    CHECK(parseDtype("fp32") == "float32");
    CHECK(parseDtype("auto") == "auto");
    checkThrows([] { static_cast<void>(parseDtype("int8")); }, ErrorCode::Usage,
                {"int8", "bfloat16"});
}

TEST_CASE("parseExperiments: groups, lists, hyphens, catalogue order", "[app][cli]") {
    CHECK(parseExperiments(Strings{"rank-counts", "weight_similarity"}) ==
          Strings{"weight_similarity", "rank_counts"});
    CHECK(parseExperiments(Strings{"rank_counts,chosen-experts", "rank_counts"}) ==
          Strings{"rank_counts", "chosen_experts"});
    // One that is computed from others brings them.
    CHECK(parseExperiments(Strings{"B6"}) ==
          Strings{"weight_similarity", "output_similarity", "weight_output_relation"});
    CHECK(parseExperiments(Strings{"importance"}) ==
          Strings{"weight_similarity", "output_similarity", "chosen_experts", "expert_removal",
                  "importance", "pruning"});
    CHECK(parseExperiments(Strings{"E1"}) == Strings{"importance"});
    CHECK(parseExperiments(Strings{"removal"}) == Strings{"expert_removal", "fewer_experts"});
    CHECK(parseExperiments(Strings{"routing"}) ==
          Strings{"chosen_experts", "domain_share", "repetition", "coloured_text", "load_balance",
                  "router_saturation", "coactivation", "domain_specialisation",
                  "vocabulary_specialisation", "paths"});
    CHECK(parseExperiments(Strings{"outputs,E2"}) == Strings{"output_similarity", "norms_scores",
                                                             "rank_counts", "intermediate_states",
                                                             "router_margin"});
    const auto weights = parseExperiments(Strings{"weights"});
    CHECK(weights.size() + 1 == parseExperiments(Strings{"static"}).size());
    // Its curves bring the importance, which prune lists alone do not need.
    CHECK(parseExperiments(Strings{"pruning"}) == Strings{"pruning"});
    CHECK(parseExperiments(Strings{"C3"}) == Strings{"chosen_experts", "coloured_text"});
    CHECK(parseExperiments(Strings{"all"}).size() == experiments::catalogue().size());
    for (const std::string& id : parseExperiments(Strings{})) {
        CHECK_FALSE(experiments::findExperiment(id)->isCostly);
    }
    CHECK(parseExperiments(Strings{}).size() <
          parseExperiments(Strings{"static", "dynamic"}).size());
    const auto statics = parseExperiments(Strings{"static"});
    const auto dynamics = parseExperiments(Strings{"dynamic"});
    CHECK(statics.size() + dynamics.size() == experiments::catalogue().size());
    CHECK_FALSE(needText(statics));
    CHECK(needText(dynamics));
    CHECK(needText(Strings{"parameters", "coloured_text"}));
    checkThrows([] { static_cast<void>(parseExperiments(Strings{"rank_counts,zzz"})); },
                ErrorCode::Usage, {"zzz", "rank_counts", "static"});
    checkThrows([] { static_cast<void>(parseExperiments(Strings{"rank_cuonts"})); },
                ErrorCode::Usage,
                {"Unknown experiment \"rank_cuonts\". Did you mean \"rank_counts\"? There are"});
    checkThrows([] { static_cast<void>(parseExperiments(Strings{"ruoting"})); }, ErrorCode::Usage,
                {"Did you mean \"routing\"?", "groups all, static"});
    checkThrows([] { static_cast<void>(parseExperiments(Strings{""})); }, ErrorCode::Usage, {});
}

TEST_CASE("parseLayers: numbers and ranges, ascending", "[app][cli]") {
    CHECK(parseLayers(Strings{}).empty());
    CHECK(parseLayers(Strings{"31,0", "8-10,9"}) == std::vector<int>{0, 8, 9, 10, 31});
    for (const char* bad :
         {"", "a", "1,", "-1", "3-1", "1-", "1-2-3", "0x1", "99999999999", "1 2"}) {
        CAPTURE(bad);
        checkThrows([&] { static_cast<void>(parseLayers(Strings{bad})); }, ErrorCode::Usage, {});
    }
}

TEST_CASE("presetPrompt: the shipped prompts", "[app][cli]") {
    CHECK(presetPrompt("short") == "As an open source alternative to");
    CHECK(presetPrompt("long").size() > 150);
    checkThrows([] { static_cast<void>(presetPrompt("medium")); }, ErrorCode::Usage, {"long"});
}
