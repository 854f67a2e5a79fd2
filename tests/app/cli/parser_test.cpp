// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/parser.h"

#include "app/cli/analyze_options.h"
#include "app/cli/info_options.h"
#include "core/base/version.h"
#include "tests/support/catch.h"
#include "tests/support/throws.h"

#include <CLI/CLI.hpp>

using namespace moescope;
using namespace moescope::cli;
using moescope::tests::checkThrows;
using Strings = std::vector<std::string>;

namespace {

struct Programme {
    AnalyzeCommand analyze;
    InfoCommand info;
    std::shared_ptr<CLI::App> parser = makeParser("moescope-engine", "Runs experiments.");
    Programme() {
        analyze.attach(*parser);
        info.attach(*parser);
    }
    std::optional<std::string> parse(const Strings& arguments) {
        return cli::parse(*parser, arguments);
    }
};

}  // namespace

TEST_CASE("parse: help and version are text to print", "[app][cli]") {
    const auto version = Programme().parse({"--version"});
    REQUIRE(version);
    CHECK(*version == std::string("moescope-engine ") + kVersion + "\n");
    const auto help = Programme().parse({"--help"});
    REQUIRE(help);
    CHECK_THAT(*help, Catch::Contains("analyze") && Catch::Contains("info") &&
                          Catch::Contains("Exit codes") && Catch::Contains("130"));
}

TEST_CASE("parse: help of a subcommand names every option with examples", "[app][cli]") {
    const auto help = Programme().parse({"analyze", "--help"});
    REQUIRE(help);
    for (const char* option : {"CHECKPOINT",      "--output",      "--text",
                               "--prompt",        "--preset",      "--csv",
                               "--jsonl",         "--column",      "--no-header",
                               "--split-lines",   "--skip-prefix", "--domain-column",
                               "--max-documents", "--chat",        "--baseline",
                               "--experiments",   "--top-k",       "--device",
                               "--dtype",         "--memory",      "--max-tokens",
                               "--context",       "--resume",      "--dry-run",
                               "--json",          "--threads",     "--skip-first-token",
                               "--kept-tokens",   "--relative-to", "Examples",
                               "--skip-prefix ="}) {
        CAPTURE(option);
        CHECK_THAT(*help, Catch::Contains(option));
    }
    const auto infoHelp = Programme().parse({"info", "--help"});
    REQUIRE(infoHelp);
    CHECK_THAT(*infoHelp, Catch::Contains("--json") && Catch::Contains("Examples") &&
                              Catch::Contains("Exit codes"));
}

TEST_CASE("parse: what is not understood is a usage error that says where to look", "[app][cli]") {
    for (const Strings& arguments :
         {Strings{"dance"}, Strings{"analyze"}, Strings{"--nothing"},
          Strings{"analyze", "model", "-o", "run.h5", "--nothing"},
          Strings{"analyze", "model", "--max-tokens", "many"},
          Strings{"analyze", "model", "--threads", "-1"}, Strings{"info", "a", "b"}}) {
        CAPTURE(arguments);
        checkThrows([&] { static_cast<void>(Programme().parse(arguments)); }, ErrorCode::Usage,
                    {"moescope-engine", "--help"});
    }
}

TEST_CASE("parse: words that nobody knows are named in the order given", "[app][cli]") {
    const auto refuses = [](const Strings& arguments, const char* words) {
        checkThrows([&] { static_cast<void>(Programme().parse(arguments)); }, ErrorCode::Usage,
                    {words});
    };
    refuses({"analyse", "model"}, "There is no command \"analyse\"; there are: analyze, info.");
    refuses({"analyse", "model"}, "Did you mean \"analyze\"?");
    refuses({"analyze", "model", "--promt", "x"},
            "Not understood: --promt x Did you mean \"--prompt\"?\n");
    refuses({"analyze", "model", "--zzz"}, "Not understood: --zzz\n");
    refuses({"info", "a", "b"}, "Not understood: b\n");
    refuses({"--promt", "x"}, "Not understood: --promt x\n");
}

TEST_CASE("parse: exit codes stand once in the help of every command", "[app][cli]") {
    for (const Strings& arguments :
         {Strings{"--help"}, Strings{"info", "--help"}, Strings{"open", "--help"}}) {
        Programme programme;
        programme.parser->add_subcommand("open", "A command without examples");
        const auto help = programme.parse(arguments);
        REQUIRE(help);
        const std::size_t first = help->find("Exit codes:");
        CAPTURE(arguments);
        CHECK(first != std::string::npos);
        CHECK(help->find("Exit codes:", first + 1) == std::string::npos);
    }
}

TEST_CASE("parse: says which subcommand was called", "[app][cli]") {
    Programme programme;
    CHECK_FALSE(programme.parse({"info", "run.h5", "--json"}));
    CHECK(programme.info.wasCalled());
    CHECK_FALSE(programme.analyze.wasCalled());
    CHECK(programme.info.result().path == "run.h5");
    CHECK(programme.info.result().json);
    Programme none;
    CHECK_FALSE(none.parse({}));
    CHECK_FALSE(none.info.wasCalled());
}

TEST_CASE("commandLine: a shell would take it back", "[app][cli]") {
    CHECK(commandLine("moescope", Strings{"analyze", "a b", "it's", "", "x=y"}) ==
          R"(moescope analyze 'a b' 'it'\''s' '' x=y)");
    CHECK(commandLine("moescope", Strings{"analyze", "model"}, "/my models") ==
          "cd '/my models' && moescope analyze model");
}

TEST_CASE("info: about a path, or about the experiments", "[app][cli]") {
    const auto parsed = [](Strings arguments) {
        Programme programme;
        arguments.insert(arguments.begin(), "info");
        REQUIRE_FALSE(programme.parse(arguments));
        return programme.info.result();
    };
    CHECK(parsed({"run.h5"}).path == "run.h5");
    CHECK_FALSE(parsed({"run.h5"}).experiments);
    CHECK(parsed({"--experiments", "--json"}).experiments);
    checkThrows([&] { static_cast<void>(parsed({})); }, ErrorCode::Usage, {"--experiments"});
    checkThrows(
        [&] {
            static_cast<void>(parsed({"run.h5", "--experiments"}));
        },
        ErrorCode::Usage, {"info run.h5"});
    checkThrows(
        [&] {
            static_cast<void>(parsed({"--experiments", "--datasets"}));
        },
        ErrorCode::Usage, {"--datasets", "RUN.h5"});
}
