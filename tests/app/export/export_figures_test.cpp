// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/export/export_figures.h"

#include "core/base/error.h"
#include "core/figures/paper_values.h"
#include "core/session/run_store.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"

#include <QStringList>
#include <QtGlobal>

#include <fstream>
#include <iterator>
#include <string>

using namespace moescope;
using namespace moescope::cli;

namespace {

struct Written {
    std::vector<std::string> names;
    std::vector<std::string> notes;
};

Written exported(const ExportPlan& plan) {
    Written result;
    exportFigures(plan, {[&](const std::filesystem::path& path) {
                             CHECK(std::filesystem::file_size(path) > 0);
                             result.names.push_back(path.filename().string());
                         },
                         [&](const std::string& note) { result.notes.push_back(note); }});
    return result;
}

ExportPlan planFor(const std::filesystem::path& folder, const char* figure) {
    ExportPlan plan;
    plan.session = folder / "run.h5";
    plan.folder = folder / "out";
    plan.figures = {figures::findFigure(figure)};
    plan.file.format = widgets::FileFormat::Csv;
    return plan;
}

std::string textOf(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string messageOf(const ExportPlan& plan, ErrorCode code) {
    try {
        exported(plan);
    } catch (const Error& error) {
        CHECK(error.code() == code);
        return error.what();
    }
    FAIL("nothing was refused");
    return {};
}

}  // namespace

TEST_CASE("exportFigures: selected tokens, documents and means", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "rank-counts");
    plan.allLayers = false;
    plan.layers = {LayerId{1}};
    plan.tokens = "4-9,20";
    CHECK(exported(plan).names ==
          std::vector<std::string>{"rank-counts-layer-01-tokens-4-9_20.csv"});
    plan.tokens.clear();
    plan.documents = "0,2";
    CHECK(exported(plan).names ==
          std::vector<std::string>{"rank-counts-layer-01-documents-0_2.csv"});
    plan = planFor(folder.path(), "norms-scores");
    plan.allLayers = false;
    plan.layers = {LayerId{1}};
    plan.mean = true;
    CHECK(exported(plan).names == std::vector<std::string>{"norms-scores-layer-01-mean.csv"});
    plan.documents = "9";
    CHECK(messageOf(plan, ErrorCode::Usage).find("documents 0 to 2") != std::string::npos);
}

TEST_CASE("exportFigures: a domain is its documents", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});  // documents of prose, code, prose
    ExportPlan plan = planFor(folder.path(), "load-table");
    plan.domains = {"prose"};
    CHECK(exported(plan).names == std::vector<std::string>{"load-table-domain-prose.csv"});
    plan.domains.clear();
    plan.documents = "0,2";
    CHECK(exported(plan).names == std::vector<std::string>{"load-table-documents-0_2.csv"});
    const std::string prose = textOf(plan.folder / "load-table-domain-prose.csv");
    CHECK(prose == textOf(plan.folder / "load-table-documents-0_2.csv"));
    plan.documents = "1";
    CHECK(exported(plan).names == std::vector<std::string>{"load-table-documents-1.csv"});
    CHECK_FALSE(prose == textOf(plan.folder / "load-table-documents-1.csv"));
    plan = planFor(folder.path(), "coloured-text");
    plan.allLayers = false;
    plan.layers = {LayerId{1}};
    plan.domains = {"prose,code"};
    CHECK(exported(plan).names ==
          std::vector<std::string>{"coloured-text-layer-01-domain-prose_code.csv"});
    plan.domains = {"cod"};
    CHECK(messageOf(plan, ErrorCode::Usage).find("its domains are: code, prose.") !=
          std::string::npos);
    plan = planFor(folder.path(), "parameters");
    plan.domains = {"code"};
    CHECK(messageOf(plan, ErrorCode::Usage).find("--domain would") != std::string::npos);
}

TEST_CASE("exportFigures: the load of other batches, capacities and devices", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "load-table");
    plan.load = figures::LoadSimulation{.batchTokens = 16, .capacities = {1.5}, .devices = 2};
    const std::string name = "load-table-batches-of-16-capacity-1.5-devices-2.csv";
    CHECK(exported(plan).names == std::vector<std::string>{name});
    CHECK(textOf(plan.folder / name).find("dropped at 1.5") != std::string::npos);
    plan.load->devices = 9;
    CHECK(messageOf(plan, ErrorCode::Usage).find("has 8 experts; give 1 to 8") !=
          std::string::npos);
    plan.load = figures::LoadSimulation();
    plan.figures = {figures::findFigure("load-curve")};
    CHECK(messageOf(plan, ErrorCode::Usage).find("--devices would change nothing") !=
          std::string::npos);
}

TEST_CASE("exportFigures: domains of any name are parts of file names", "[app][export]") {
    const tests::TemporaryFolder folder;
    const tests::SyntheticRun run;
    session::Head head = tests::syntheticHead(run);
    head.corpus.domains = {"law/EU & \"UK\", 2",
                           std::string(47, 'x') + "\u00E9" + std::string(99, 'y')};
    session::RunStore store(folder / "run.h5");
    store.begin(head);
    for (const auto& part : tests::syntheticParts(run)) {
        store.writePart(part);
    }
    store.finish();
    ExportPlan plan = planFor(folder.path(), "load-table");
    plan.domains = {head.corpus.domains[0]};
    CHECK(exported(plan).names ==
          std::vector<std::string>{"load-table-domain-law_EU____UK___2.csv"});
    plan.domains = {head.corpus.domains[1]};
    const std::vector<std::string> names = exported(plan).names;
    REQUIRE(names.size() == 1);
    CHECK(names.front().size() < 100);
    CHECK(QString::fromStdString(names.front()).toStdString() ==
          names.front());  // whole characters
    head.corpus.domains.clear();
    head.corpus.domainOf.assign(head.corpus.documentCount(), -1);
    session::RunStore without(folder / "without.h5");
    without.begin(head);
    for (const auto& part : tests::syntheticParts(run)) {
        without.writePart(part);
    }
    without.finish();
    plan.session = folder / "without.h5";
    CHECK(messageOf(plan, ErrorCode::Usage).find("has no domains") != std::string::npos);
}

TEST_CASE("exportFigures: the experts that would go, one list for the model", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "importance");
    CHECK(exported(plan).names ==
          std::vector<std::string>{"importance-layer-01.csv", "importance-layer-02.csv",
                                   "importance-layer-03.csv", "importance-all-layers.csv"});
    plan.file.format = widgets::FileFormat::Json;
    CHECK(exported(plan).names == std::vector<std::string>{"importance-all-layers.json"});
    plan.prune = figures::PruneChoice{"load", 0.5, false};
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    CHECK(exported(plan).names == std::vector<std::string>{"importance-layer-02-load-0.5.json"});
    plan.allFigures = true;  // those that have a list
    plan.allLayers = true;
    CHECK(exported(plan).names == std::vector<std::string>{"importance-all-layers-load-0.5.json",
                                                           "importance-map-load-0.5.json"});
    plan = planFor(folder.path(), "load-table");
    plan.file.format = widgets::FileFormat::Json;
    CHECK(messageOf(plan, ErrorCode::Usage).find("no list of experts") != std::string::npos);
}

TEST_CASE("exportFigures: two sessions compared", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    tests::writeSyntheticSession(folder / "other.h5", {});
    tests::writeSyntheticSession(folder / "longer.h5", {.tokens = 90});
    ExportPlan plan = planFor(folder.path(), "routing-agreement");
    CHECK(messageOf(plan, ErrorCode::Usage).find("--with") != std::string::npos);
    plan.others = {folder / "other.h5"};
    CHECK(exported(plan).names == std::vector<std::string>{"routing-agreement.csv"});
    plan.figures = {figures::findFigure("routing-comparison")};
    CHECK(exported(plan).names.size() == 3);
    plan.others = {folder / "longer.h5"};
    CHECK(messageOf(plan, ErrorCode::Usage).find("from token 60 on") != std::string::npos);
    // A series: every one must fit; figures of two refuse it.
    plan.figures = {figures::findFigure("router-saturation")};
    plan.others = {folder / "other.h5", folder / "longer.h5"};
    CHECK(messageOf(plan, ErrorCode::Usage).find("from token 60 on") != std::string::npos);
    plan.others = {folder / "other.h5", folder / "run.h5"};
    CHECK(exported(plan).names == std::vector<std::string>{"router-saturation.csv"});
    plan.figures = {figures::findFigure("routing-agreement")};
    CHECK(messageOf(plan, ErrorCode::Usage).find("and 3 were given") != std::string::npos);
    plan.others.clear();
    plan.allFigures = true;  // what needs another session is left out
    for (const std::string& name : exported(plan).names) {
        CHECK(name.find("routing-") == std::string::npos);
    }
}

TEST_CASE("exportFigures: the text without experts, by layer or by set", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "expert-removal-text");
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    plan.expert = 5;
    CHECK(exported(plan).names ==
          std::vector<std::string>{"expert-removal-text-layer-02-expert-5.csv"});
    plan.removal = figures::parseRemovalChoice("sets");
    CHECK(messageOf(plan, ErrorCode::Usage).find("--layers would change nothing about") !=
          std::string::npos);
    plan.allLayers = true;
    plan.layers.clear();
    CHECK(messageOf(plan, ErrorCode::Usage).find("--expert would change nothing about") !=
          std::string::npos);
    plan.removal = figures::parseRemovalChoice("everywhere");
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    CHECK(messageOf(plan, ErrorCode::Usage).find("one index in every layer") != std::string::npos);
    plan = planFor(folder.path(), "expert-removal-text");
    plan.removal = figures::parseRemovalChoice("2:900");  // no advice to remove it
    CHECK(messageOf(plan, ErrorCode::Usage).find("Layer 2 has experts 0 to") != std::string::npos);
    plan.removal = figures::parseRemovalChoice("0:0");  // dense
    CHECK(messageOf(plan, ErrorCode::Usage).find("No expert of layer 0") != std::string::npos);
    plan.removal = figures::parseRemovalChoice("sets");
    CHECK(exported(plan).names ==
          std::vector<std::string>{"expert-removal-text-without-1-0_2-1.csv",
                                   "expert-removal-text-without-3.csv"});
    // A long set has a short name, and each set its own.
    std::string set = "1:0,2:1";
    for (int expert = 0; expert < 6; ++expert) {
        set += ",3:" + std::to_string(expert);
    }
    for (const char* last : {",3:6", ",3:7"}) {
        plan.removal = figures::RemovalChoice{figures::RemovalChoice::Kind::Set, set + last};
        plan.tokens = "0";
        for (int token = 2; token < 60; token += 2) {
            plan.tokens += "," + std::to_string(token);
        }
        plan.figures = {figures::findFigure("expert-removal-tokens")};
        CHECK(messageOf(plan, ErrorCode::Usage).find("--remove 1:0") != std::string::npos);
    }
    plan = planFor(folder.path(), "expert-removal-tokens");
    plan.removal = figures::parseRemovalChoice("sets");
    plan.tokens = "1";
    for (int token = 3; token < 60; token += 2) {
        plan.tokens += "," + std::to_string(token);
    }
    const std::string first = exported(plan).names.at(0);
    CHECK(first.size() < 150);
    CHECK(first.starts_with("expert-removal-tokens-sets-tokens-1_3_5_7_"));
    CHECK(first.find("-more-") != std::string::npos);
    plan.tokens += ",58";
    CHECK(exported(plan).names.at(0) != first);
    plan = planFor(folder.path(), "expert-removal-text");
    plan.removal = figures::parseRemovalChoice("everywhere");  // not kept by this session
    CHECK(messageOf(plan, ErrorCode::Usage).find("--kept-size") != std::string::npos);
}

TEST_CASE("exportFigures: the card of an expert, a passage at some layers", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "expert-card");
    CHECK(messageOf(plan, ErrorCode::Usage).find("--expert") != std::string::npos);
    plan.expert = 5;
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    CHECK(exported(plan).names == std::vector<std::string>{"expert-card-layer-02-expert-5.csv"});
    plan.expert = 8;
    CHECK(messageOf(plan, ErrorCode::Usage).find("experts 0 to 7") != std::string::npos);
    plan = planFor(folder.path(), "coloured-text");
    plan.allLayers = false;
    plan.layers = {LayerId{1}, LayerId{3}};
    plan.sideBySide = true;
    plan.tokens = "4-9";
    CHECK(exported(plan).names ==
          std::vector<std::string>{"coloured-text-side-by-side-layers-1_3-tokens-4-9.csv"});
}

TEST_CASE("exportFigures: one file for each routed layer, clear names", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    CHECK(exported(planFor(folder.path(), "rank-counts")).names ==
          std::vector<std::string>{"rank-counts-layer-01.csv", "rank-counts-layer-02.csv",
                                   "rank-counts-layer-03.csv", "rank-counts-all-layers.csv"});
    ExportPlan plan = planFor(folder.path(), "weight-similarity");
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    plan.roles = {"gate"};
    CHECK(exported(plan).names == std::vector<std::string>{"weight-similarity-gate-layer-02.csv"});
    plan = planFor(folder.path(), "norms-scores");
    plan.allLayers = false;
    plan.layers = {LayerId{1}};
    plan.tokens = "4-5";
    CHECK(exported(plan).names == std::vector<std::string>{"norms-scores-layer-01-tokens-4-5.csv"});
    plan.tokens = "4";
    CHECK(exported(plan).names == std::vector<std::string>{"norms-scores-layer-01-token-4.csv"});
    plan = planFor(folder.path(), "rank-counts");
    plan.sideBySide = true;
    CHECK(exported(plan).names == std::vector<std::string>{"rank-counts-side-by-side.csv"});
    plan = planFor(folder.path(), "domain-share-bars");
    plan.sideBySide = true;
    plan.allLayers = false;
    plan.layers = {LayerId{1}, LayerId{3}};
    CHECK(exported(plan).names ==
          std::vector<std::string>{"domain-share-bars-side-by-side-layers-1_3.csv"});
    const std::string some =
        textOf(folder / "out" / "domain-share-bars-side-by-side-layers-1_3.csv");
    CHECK(some.find("\nlayer 3,") != std::string::npos);
    CHECK(some.find("\nlayer 2,") == std::string::npos);
    plan = planFor(folder.path(), "weight-similarity");
    plan.sideBySide = true;
    CHECK(exported(plan).names ==
          std::vector<std::string>{"weight-similarity-gate-side-by-side.csv",
                                   "weight-similarity-up-side-by-side.csv",
                                   "weight-similarity-down-side-by-side.csv"});
    plan = planFor(folder.path(), "rank-counts");
    plan.allLayers = false;
    plan.layers = {LayerId{1}};
    plan.ranks = figures::RankRange{3, 6};
    CHECK(exported(plan).names == std::vector<std::string>{"rank-counts-layer-01-ranks-3-6.csv"});
    CHECK(exported(planFor(folder.path(), "similarity-trend")).names ==
          std::vector<std::string>{"similarity-trend.csv"});
    CHECK(exported(planFor(folder.path(), "parameters")).names ==
          std::vector<std::string>{"parameters.csv"});
    CHECK(exported(planFor(folder.path(), "reproduction")).names ==
          std::vector<std::string>{"reproduction.csv"});
}

TEST_CASE("exportFigures: the demo beside the paper's Mixtral", "[app][export]") {
    const tests::TemporaryFolder folder;
    ExportPlan plan = planFor(folder.path(), "reproduction");
    plan.session = tests::sourceDir() / "resources/demo/demo.h5";
    REQUIRE(exported(plan).names.size() == 1);
    std::ifstream file(plan.folder / "reproduction.csv");
    const std::string csv{std::istreambuf_iterator<char>(file), {}};
    CHECK(csv.find("tiny-mixtral: reproduction, beside Mixtral 8x7B\n") != std::string::npos);
    // The demo holds every experiment: each row has a value, of another model.
    std::size_t rows = 0;
    for (std::size_t at = csv.find(",other model,"); at != std::string::npos;
         at = csv.find(",other model,", at + 1)) {
        ++rows;
    }
    CHECK(rows == figures::paperModels()[0].values.size());
    plan.file.format = widgets::FileFormat::Png;
    plan.file.dpi = 72.0;
    CHECK(exported(plan).names == std::vector<std::string>{"reproduction.png"});
}

TEST_CASE("exportFigures: every figure in every format", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "parameters");
    plan.allFigures = true;
    plan.allLayers = true;
    plan.file.dpi = 72.0;
    for (const auto format : {widgets::FileFormat::Png, widgets::FileFormat::Svg,
                              widgets::FileFormat::Pdf, widgets::FileFormat::Csv}) {
        plan.file.format = format;
        // Tables of all experts of all layers are not drawn, but they are data.
        const std::size_t data = format == widgets::FileFormat::Csv ? 1 : 0;
        CHECK(exported(plan).names.size() == 33 * 3 + 4 + 16 + data);
    }
}

TEST_CASE("prepareDrawing: Qt's word on a missing login session is kept back", "[app][export]") {
    static QStringList heard;
    const auto before = qInstallMessageHandler(
        [](QtMsgType, const QMessageLogContext&, const QString& text) { heard << text; });
    prepareDrawing();
    prepareDrawing();
    qWarning("QStandardPaths: XDG_RUNTIME_DIR not set, defaulting to '/tmp/runtime-root'");
    qWarning("something else");
    qInstallMessageHandler(before);
    CHECK(heard == QStringList{QStringLiteral("something else")});
}

TEST_CASE("exportFigures: long texts are shortened and it says so", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::SyntheticRun run;
    run.tokens = 700;
    run.experiments = {"chosen_experts"};
    tests::writeSyntheticSession(folder / "run.h5", run);
    ExportPlan plan = planFor(folder.path(), "chosen-experts");
    CHECK(exported(plan).notes.empty());  // CSV holds all
    plan.file.format = widgets::FileFormat::Svg;
    const Written written = exported(plan);
    REQUIRE(written.notes.size() == 1);
    CHECK(written.notes.front().find("tokens 0 to 127 of 700") != std::string::npos);
    // Nothing is said of a picture that there is not.
    plan.layers = {LayerId{40}};
    plan.allLayers = false;
    std::vector<std::string> notes;
    CHECK_THROWS_AS(
        exportFigures(plan, {{}, [&](const std::string& note) { notes.push_back(note); }}), Error);
    CHECK(notes.empty());
}

TEST_CASE("exportFigures: errors name figure, layer and what exists", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::SyntheticRun run;
    run.experiments = {"rank_counts", "chosen_experts"};
    tests::writeSyntheticSession(folder / "run.h5", run);
    ExportPlan plan = planFor(folder.path(), "rank-counts");
    plan.allLayers = false;
    plan.layers = {LayerId{0}};
    CHECK(messageOf(plan, ErrorCode::Usage).find("layer 0 is dense") != std::string::npos);
    plan.layers = {LayerId{40}};
    CHECK(messageOf(plan, ErrorCode::Usage).find("layers 1, 2, 3") != std::string::npos);
    CHECK(messageOf(planFor(folder.path(), "weight-similarity"), ErrorCode::Usage)
              .find("--experiments weight_similarity") != std::string::npos);
    plan = planFor(folder.path(), "chosen-experts");
    plan.tokens = "10-9999";
    CHECK(messageOf(plan, ErrorCode::Usage).find("tokens 0 to 59") != std::string::npos);
    plan = planFor(folder.path(), "rank-counts");
    plan.session = folder / "absent.h5";
    CHECK_FALSE(messageOf(plan, ErrorCode::FileNotFound).empty());
    plan = planFor(folder.path(), "rank-counts");
    std::ofstream(folder / "file") << "in the way";
    plan.folder = folder / "file" / "out";
    CHECK_FALSE(messageOf(plan, ErrorCode::FileUnwritable).empty());
}

TEST_CASE("exportFigures: an option that changes nothing is refused", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    tests::writeSyntheticSession(folder / "other.h5", {});
    ExportPlan plan = planFor(folder.path(), "importance");
    plan.others = {folder / "other.h5"};
    const std::string message = messageOf(plan, ErrorCode::Usage);
    CHECK(message.find("--with would change nothing about importance") != std::string::npos);
    CHECK(message.find("routing-agreement") != std::string::npos);
    plan.figures.push_back(figures::findFigure("routing-agreement"));  // one that takes it
    CHECK(exported(plan).names.size() == 5);
    plan = planFor(folder.path(), "parameters");
    plan.expert = 3;
    CHECK(messageOf(plan, ErrorCode::Usage).find("--expert would") != std::string::npos);
    plan = planFor(folder.path(), "load-table");
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    CHECK(messageOf(plan, ErrorCode::Usage).find("--layers would") != std::string::npos);
    plan = planFor(folder.path(), "load-table");
    plan.range.kind = figures::ColourRange::Kind::AllLayers;
    CHECK(messageOf(plan, ErrorCode::Usage).find("--range would") != std::string::npos);
    plan = planFor(folder.path(), "coactivation");
    plan.maskDiagonal = false;
    CHECK(messageOf(plan, ErrorCode::Usage).find("--with-diagonal would") != std::string::npos);
    plan = planFor(folder.path(), "router-margin");
    plan.sideBySide = true;
    plan.allLayers = false;
    plan.layers = {LayerId{2}};
    CHECK(messageOf(plan, ErrorCode::Usage).find("of all layers") != std::string::npos);
    plan.figures.clear();
    plan.allFigures = true;
    CHECK_FALSE(exported(plan).names.empty());
}

TEST_CASE("exportFigures: a folder made for nothing is not left behind", "[app][export]") {
    const tests::TemporaryFolder folder;
    tests::writeSyntheticSession(folder / "run.h5", {});
    ExportPlan plan = planFor(folder.path(), "expert-removal-text");
    plan.removal = figures::parseRemovalChoice("everywhere");
    (void)messageOf(plan, ErrorCode::Usage);
    CHECK_FALSE(std::filesystem::exists(folder / "out"));
    std::filesystem::create_directory(folder / "out");  // not made for it
    (void)messageOf(plan, ErrorCode::Usage);
    CHECK(std::filesystem::exists(folder / "out"));
    // A slip in the path makes no tree of folders.
    plan = planFor(folder.path(), "parameters");
    plan.folder = folder / "no" / "deep";
    CHECK(messageOf(plan, ErrorCode::FileUnwritable).find("no does not exist") !=
          std::string::npos);
    CHECK_FALSE(std::filesystem::exists(folder / "no"));
    for (const char* slashed : {"new/", "new//"}) {
        plan.folder = folder.path() / slashed;
        CHECK(exported(plan).names.size() == 1);
        CHECK(std::filesystem::exists(folder / "new"));
    }
}
