// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/export/export_options.h"

#include "app/cli/parser.h"
#include "core/base/error.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

#include <CLI/CLI.hpp>

#include <array>

using namespace moescope;
using namespace moescope::cli;

namespace {

ExportPlan planOf(std::vector<std::string> arguments) {
    const auto parser = makeParser("moescope", "test");
    ExportCommand command;
    command.attach(*parser);
    arguments.insert(arguments.begin(), "export");
    REQUIRE_FALSE(parse(*parser, arguments));
    REQUIRE(command.wasCalled());
    return command.result();
}

}  // namespace

TEST_CASE("parseLayers: numbers, ranges, all", "[app][export]") {
    CHECK(parseLayers("all").empty());
    CHECK(parseLayers("3") == std::vector{LayerId{3}});
    CHECK(parseLayers("5-7,0,6") == std::vector{LayerId{0}, LayerId{5}, LayerId{6}, LayerId{7}});
    for (const char* bad : {"", "x", "1,", "-1", "3-1", "1-", "1.5", "9999999999"}) {
        CHECK_THROWS_AS(parseLayers(bad), Error);
    }
}

TEST_CASE("ExportCommand: defaults and every option", "[app][export]") {
    const ExportPlan plain = planOf({"run.h5", "--figure", "rank_count", "-o", "out"});
    CHECK(plain.figures.front()->name == "rank-counts");
    CHECK(plain.allLayers);
    CHECK(plain.file.format == widgets::FileFormat::Png);
    CHECK(plain.file.widthMm == 174.0);
    CHECK_FALSE(plain.file.dark);
    CHECK(plain.maskDiagonal);
    const ExportPlan sessionLast =
        planOf({"--figure", "parameters", "--figure", "all", "-o", "out", "run.h5"});
    CHECK(sessionLast.session == "run.h5");
    CHECK(sessionLast.allFigures);
    const ExportPlan figureBefore = planOf({"-o", "out", "--figure", "parameters", "run.h5"});
    CHECK(figureBefore.session == "run.h5");
    CHECK(figureBefore.figures.size() == 1);
    const ExportPlan full = planOf({"run.h5",     "--figure",     "weight-similarity",
                                    "--layers",   "1,3",          "--role",
                                    "gate",       "--range",      "0:1",
                                    "--width",    "85",           "--dpi",
                                    "600",        "--theme",      "dark",
                                    "--format",   "svg",          "--colour-map",
                                    "cividis",    "-o",           "out",
                                    "--relative", "--no-caption", "--with-diagonal"});
    CHECK(full.layers.size() == 2);
    CHECK(full.roles == std::vector<std::string>{"gate"});
    CHECK(full.range.kind == figures::ColourRange::Kind::Fixed);
    CHECK(full.file.widthMm == 85.0);
    CHECK(full.file.dpi == 600.0);
    CHECK(full.file.dark);
    CHECK(full.file.format == widgets::FileFormat::Svg);
    CHECK(full.colourMap == figures::ColourMap::Cividis);
    CHECK(full.relative);
    CHECK_FALSE(full.file.withCaption);
    CHECK_FALSE(full.maskDiagonal);
    const ExportPlan several =
        planOf({"run.h5", "--figure", "similarity-trend", "--similarity", "A1,output-similarity",
                "--ranks", "57:64", "--side-by-side", "-o", "out"});
    CHECK(several.experiments ==
          std::vector<std::string>{"weight_similarity", "output_similarity"});
    CHECK(several.ranks == figures::RankRange{57, 64});
    CHECK(several.sideBySide);
    const ExportPlan domains = planOf({"--figure", "load-table", "--domain", "code", "--domain",
                                       "prose,law", "run.h5", "-o", "out"});
    CHECK(domains.domains == std::vector<std::string>{"code", "prose,law"});
}

TEST_CASE("ExportCommand: batches, capacities and devices of the load table", "[app][export]") {
    const auto planWith = [](std::vector<std::string> extra) {
        std::vector<std::string> arguments{"--figure", "load-table", "-o", "out"};
        arguments.insert(arguments.end(), extra.begin(), extra.end());
        arguments.emplace_back("run.h5");
        return planOf(std::move(arguments));
    };
    CHECK_FALSE(planWith({}).load);
    CHECK(planWith({"--devices", "4"}).load == figures::LoadSimulation{.devices = 4});
    CHECK(planWith({"--batch-tokens", "64", "--capacity", "1.5,1,1.5"}).load ==
          figures::LoadSimulation{.batchTokens = 64, .capacities = {1.5, 1.0}});
    CHECK(planWith({"--capacity", "1", "--capacity", "2"}).load->capacities ==
          std::vector<double>{1.0, 2.0});
    for (const auto& [option, value, words] :
         std::vector<std::array<const char*, 3>>{{"--batch-tokens", "0", "give 1 token or more"},
                                                 {"--batch-tokens", "-5", "give 1 token or more"},
                                                 {"--capacity", "0", "give a number above 0"},
                                                 {"--capacity", "1,-2", "give a number above 0"},
                                                 {"--capacity", "1,2,3,4,5", "give 1 to 4"},
                                                 {"--devices", "0", "give 1 up to"}}) {
        INFO(option << " " << value);
        tests::checkThrows(
            [&, o = option, v = value] {
                (void)planWith({o, v});
            },
            ErrorCode::Usage, {words});
    }
}

TEST_CASE("ExportCommand: which experts would go", "[app][export]") {
    const std::vector<std::string> plain{"run.h5", "--figure", "importance", "-o", "out"};
    CHECK_FALSE(planOf(plain).prune);
    std::vector<std::string> asked = plain;
    asked.insert(asked.end(), {"--prune-by", "ean-mean", "--prune-share", "0.5", "--prune-over",
                               "model", "--format", "json"});
    const ExportPlan plan = planOf(asked);
    CHECK(plan.file.format == widgets::FileFormat::Json);
    CHECK(plan.prune == figures::PruneChoice{"ean_mean", 0.5, true});
    asked = plain;
    asked.insert(asked.end(), {"--prune-by", "load"});
    CHECK(planOf(asked).prune == figures::PruneChoice{"load", 0.25, false});
    for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
             {"--prune-by", "beauty"}, {"--prune-share", "1"}, {"--prune-over", "planet"}}) {
        std::vector<std::string> bad = plain;
        bad.insert(bad.end(), {option, value});
        INFO(option);
        CHECK_THROWS_AS(planOf(bad), Error);
    }
}

TEST_CASE("ExportCommand: refuses what it does not know", "[app][export]") {
    const std::vector<std::vector<std::string>> bad{
        {"--figure", "pie"},     {"--role", "router"}, {"--range", "wide"},
        {"--colour-map", "jet"}, {"--theme", "sepia"}, {"--format", "bmp"},
        {"--layers", "some"},    {"--ranks", "8"},     {"--similarity", "taste"}};
    for (const auto& extra : bad) {
        std::vector<std::string> arguments{"run.h5", "--figure", "parameters", "-o", "out"};
        arguments.insert(arguments.end(), extra.begin(), extra.end());
        INFO(extra[0] << " " << extra[1]);
        CHECK_THROWS_AS(planOf(arguments), Error);
    }
    const auto messageOf = [](const std::vector<std::string>& arguments) -> std::string {
        try {
            (void)planOf(arguments);
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    };
    CHECK_THAT(messageOf({"run.h5", "--figure", "importence", "-o", "out"}),
               Catch::Contains("Did you mean \"importance\"?"));
    ExportCommand command;
    const auto parser = makeParser("moescope", "test");
    command.attach(*parser);
    const std::vector<std::string> two{"export", "run.h5", "--figure", "importance",
                                       "paths",  "-o",     "out"};
    tests::checkThrows([&] { (void)parse(*parser, two); }, ErrorCode::Usage,
                       {"Not understood: paths (--figure takes one value; for several write"});
    for (const char* other : {"--tokens", "--documents"}) {
        ExportCommand domains;
        const auto again = makeParser("moescope", "test");
        domains.attach(*again);
        const std::vector<std::string> both{"export", "run.h5",   "--figure", "load-table", "-o",
                                            "out",    "--domain", "code",     other,        "0"};
        tests::checkThrows([&] { (void)parse(*again, both); }, ErrorCode::Usage, {"--domain"});
    }
    CHECK(planOf({"--figure", "importance", "--figure", "paths", "run.h5", "-o", "out"})
              .figures.size() == 2);
}
