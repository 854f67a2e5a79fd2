// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/session/run_store.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/session/session.h"
#include "tests/support/catch.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <algorithm>

using namespace moescope;
using namespace moescope::session;
using tests::syntheticHead;
using tests::syntheticParts;
using tests::SyntheticRun;

namespace {

std::string partialOf(const std::filesystem::path& session) {
    return session.string() + ".partial";
}

/// Every quantity of both sessions has the same layers and values.
void checkEqual(const Session& a, const Session& b) {
    REQUIRE(a.quantities().size() == b.quantities().size());
    for (const QuantityInfo& info : a.quantities()) {
        const QuantityInfo* other = b.find(info.id);
        REQUIRE(other != nullptr);
        CHECK(other->layers == info.layers);
        CHECK(other->axes == info.axes);
        for (const LayerId layer : info.layers) {
            CHECK(a.read(info.id, layer) == b.read(info.id, layer));
        }
    }
}

}  // namespace

TEST_CASE("RunStore: what was written is read back, from parts and from the session",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    const SyntheticRun run;
    const Head head = syntheticHead(run);
    const auto parts = syntheticParts(run);
    std::shared_ptr<const Session> fromParts;
    {
        RunStore store(path);
        CHECK(store.existing() == RunStore::Existing::Nothing);
        store.begin(head);
        for (const Part& part : parts) {
            CHECK_FALSE(store.hasPart(part.key));
            store.writePart(part);
            CHECK(store.hasPart(part.key));
        }
        fromParts = Session::open(path);
        CHECK(fromParts->isPartial());
        for (const Part& part : parts) {
            for (const Quantity& quantity : part.quantities) {
                const QuantityId id{part.key.branch, part.key.experiment, quantity.name};
                CHECK(fromParts->read(id, part.key.layer) == quantity.values);
            }
        }
        store.finish();
    }
    CHECK_FALSE(std::filesystem::exists(partialOf(path)));
    const auto finished = Session::open(path);
    CHECK_FALSE(finished->isPartial());
    for (const Part& part : parts) {
        for (const Quantity& quantity : part.quantities) {
            const QuantityId id{part.key.branch, part.key.experiment, quantity.name};
            CHECK(finished->read(id, part.key.layer) == quantity.values);
            CHECK(finished->find(id)->axes == quantity.axes);
            CHECK(finished->find(id)->tokens == part.tokens);
        }
    }
    CHECK(finished->head().model == head.model);
    CHECK(finished->head().baselines == head.baselines);
    CHECK(finished->head().corpus.ids == head.corpus.ids);
    CHECK(finished->head().corpus.tokenBytes == head.corpus.tokenBytes);
    CHECK(finished->head().corpus.domains == head.corpus.domains);
    for (const ExperimentRecord& record : finished->head().experiments) {
        INFO(record.id);
        CHECK(record.state == ExperimentState::Done);
        CHECK(record.layersDone == record.layers);
    }
}

TEST_CASE("RunStore: rows of one layer are read alone", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    const SyntheticRun run{.tokens = 500};
    tests::writeSyntheticSession(path, run);
    const auto opened = Session::open(path);
    const QuantityId id{BranchId(0), "norms_scores", "score"};
    const NdArray whole = opened->read(id, LayerId(2));
    const NdArray rows = opened->readRows(id, LayerId(2), 100, 7);
    REQUIRE(rows.shape() == Shape{7, 8});
    const auto all = whole.values<float>();
    const auto some = rows.values<float>();
    CHECK(std::equal(some.begin(), some.end(), all.begin() + 100 * 8));
    CHECK_THROWS_AS(opened->readRows(id, LayerId(2), 499, 2), Error);
    CHECK_THROWS_AS(opened->read(id, LayerId(0)), Error);  // layer 0 is dense: absent, not zero
}

TEST_CASE("RunStore: an interrupted run goes on where it stopped", "[core][session]") {
    const tests::TemporaryFolder folder;
    const SyntheticRun run;
    const auto parts = syntheticParts(run);
    const auto whole = folder / "whole.h5";
    tests::writeSyntheticSession(whole, run);
    const auto path = folder / "run.h5";
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        for (std::size_t i = 0; i < parts.size() / 2; ++i) {
            store.writePart(parts[i]);
        }
    }
    // What a kill may leave: a temporary file, and a part that a broken disk cut short.
    writeFileAtomically(partialOf(path) + "/part-b0-rank_counts-layer_0009-s0.h5", "not HDF5");
    writeFileAtomically(partialOf(path) + "/part-b0-x.h5.123.tmp", "half");
    RunStore store(path);
    CHECK(store.existing() == RunStore::Existing::Parts);
    store.begin(syntheticHead(run));
    std::size_t kept = 0;
    for (const Part& part : parts) {
        if (store.hasPart(part.key)) {
            ++kept;
        } else {
            store.writePart(part);
        }
    }
    CHECK(kept == parts.size() / 2);
    store.finish();
    checkEqual(*Session::open(path), *Session::open(whole));
}

TEST_CASE("RunStore: experiments are added to a finished session", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun first;
    first.experiments = {"chosen_experts", "rank_counts"};
    first.commandLine = "moescope-engine analyze m --prompt x --skip-first-token -o run.h5";
    tests::writeSyntheticSession(path, first);
    const auto before = Session::open(path);
    SyntheticRun second;
    second.experiments = {"chosen_experts", "norms_scores"};
    second.commandLine = "moescope-engine analyze m -o run.h5";
    RunStore store(path);
    CHECK(store.existing() == RunStore::Existing::Session);
    Head head = syntheticHead(second);
    head.uuid = "another";
    head.run.createdUtc = "2026-02-03T04:05:06Z";
    store.begin(head);
    for (const Part& part : syntheticParts(second)) {
        CHECK(store.hasPart(part.key) == (part.key.experiment == "chosen_experts"));
        if (!store.hasPart(part.key)) {
            store.writePart(part);
        }
    }
    // A window that watches the run sees old and new together.
    CHECK(Session::open(partialOf(path))->quantities().size() == 11);
    CHECK(Session::open(partialOf(path) + "/")->path() == partialOf(path));
    store.finish();
    const auto after = Session::open(path);
    CHECK(after->head().uuid == before->head().uuid);
    CHECK(after->head().run.createdUtc == before->head().run.createdUtc);
    CHECK(after->head().experiments.size() == 3);
    CHECK(after->head().run.commandLine == first.commandLine + "\n" + second.commandLine);
    CHECK(after->find({BranchId(0), "rank_counts", "count"}) != nullptr);
    CHECK(after->find({BranchId(0), "norms_scores", "norm"}) != nullptr);
}

TEST_CASE("RunStore: a run's experiment is done when its whole-model part is there too",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    const SyntheticRun run{.experiments = {"rank_counts", "norms_scores"}};
    Head head = syntheticHead(run);
    head.experiments.front().hasModelPart = true;
    const auto states = [&] {
        std::vector<ExperimentState> result;
        const auto session = Session::open(path);
        for (const ExperimentRecord& record : session->head().experiments) {
            result.push_back(record.state);
        }
        return result;
    };
    using enum ExperimentState;
    RunStore store(path);
    store.begin(head);
    CHECK(store.existing() == RunStore::Existing::Nothing);
    for (const Part& part : syntheticParts(run)) {
        store.writePart(part);
    }
    CHECK(states() == std::vector{Running, Done});
    SECTION("with the part") {
        Part total{{BranchId(0), "rank_counts", std::nullopt, 0}, 60, {}, {}};
        total.quantities.push_back({"total_count",
                                    {{"score_rank", {}}},
                                    "tokens",
                                    "count",
                                    NdArray(ElementType::U64, {8})});
        store.writePart(total);
        CHECK(states() == std::vector{Done, Done});
    }
    SECTION("a run that ends without one had nothing to say") {
        store.finish();
        CHECK(states() == std::vector{Done, Done});
        CHECK(Session::open(path)->head().experiments.front().hasModelPart);
    }
}

TEST_CASE("RunStore: a title that is asked for replaces the session's", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    Head head = syntheticHead({});
    const auto titleAfter = [&](const std::string& asked) {
        head.title = asked;
        RunStore store(path);
        store.begin(head);
        store.writePart(syntheticParts({}).front());
        store.finish();
        return Session::open(path)->head().title;
    };
    CHECK(titleAfter("") == "synthetic-moe");  // the model's name
    CHECK(titleAfter("first light") == "first light");
    CHECK(titleAfter("") == "first light");
    CHECK(titleAfter("second sight") == "second sight");
}

TEST_CASE("RunStore: a run without a text keeps how the session's was made", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    Head head = syntheticHead({});
    head.run.chatTemplate = true;
    {
        RunStore store(path);
        store.begin(head);
        store.writePart(syntheticParts({}).front());
        store.finish();
    }
    head.corpus = {};
    head.run.chatTemplate = false;
    RunStore store(path);
    store.begin(head);
    store.finish();
    CHECK(Session::open(path)->head().corpus.tokenCount() == 60);
    CHECK(Session::open(path)->head().run.chatTemplate);
}

TEST_CASE("RunStore: another model or text is refused, a newer definition is computed again",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"chosen_experts"};
    tests::writeSyntheticSession(path, run);
    const auto refuses = [&](const Head& head, const std::string& word) {
        RunStore store(path);
        try {
            store.begin(head);
            FAIL("accepted another " << word);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::BadSession);
            CHECK_THAT(error.what(), Catch::Contains(word));
        }
    };
    Head other = syntheticHead(run);
    other.model.identity = "other";
    refuses(other, "model");
    other = syntheticHead(run);
    other.corpus.ids[3] += 1;
    refuses(other, "another text. Give that text or none");
    other = syntheticHead(run);
    other.run.dtype = "bfloat16";
    refuses(other, "Give --dtype " + syntheticHead(run).run.dtype + ", choose another");
    other = syntheticHead(run);
    other.baselines.front().identity = "other";
    refuses(other, "Give the same --baseline, choose another output file");
    other.baselines.clear();  // what is added compares with none
    CHECK_NOTHROW(session::requireSameRun(syntheticHead(run), other, path));
    other = syntheticHead(run);
    other.run.optionsJson = R"({"top_k":1})";
    refuses(other, "Give the same --top-k, choose another output file");
    CHECK_NOTHROW(session::requireSameRun(syntheticHead(run), syntheticHead(run), path));
    tests::checkThrows([&] { session::requireSameRun(syntheticHead(run), other, folder.path()); },
                       ErrorCode::BadSession, {folder.path().string(), "unfinished", "--restart"});

    other = syntheticHead(run);
    other.experiments.front().version += 1;
    RunStore store(path);
    store.begin(other);
    CHECK_FALSE(store.hasPart(syntheticParts(run).front().key));
}

TEST_CASE("RunStore: two runs never write one session", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    RunStore first(path);
    first.begin(syntheticHead({}));
    CHECK_THROWS_AS(RunStore(path), Error);
    first.suspend();
    CHECK_NOTHROW(RunStore(path));
}

TEST_CASE("RunStore: leftovers of another run never stand beside new results", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    const SyntheticRun run;
    const auto parts = syntheticParts(run);
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        store.writePart(parts.front());
    }
    Head other = syntheticHead(run);
    other.model.identity = "other";
    SECTION("a clean-up that was killed after it removed the head") {
        std::filesystem::remove(std::filesystem::path(partialOf(path)) / "head.h5");
        RunStore store(path);
        CHECK(store.existing() == RunStore::Existing::Nothing);
        store.begin(other);
        CHECK_FALSE(store.hasPart(parts.front().key));
    }
    SECTION("a session copied to where the unfinished one was to be") {
        {
            RunStore store(folder / "third.h5");
            other.uuid = "other";
            store.begin(other);
            store.writePart(parts.back());
            store.finish();
        }
        std::filesystem::copy_file(folder / "third.h5", path);
        CHECK_FALSE(Session::open(partialOf(path))->head().experiments.empty());
        RunStore store(path);
        CHECK(store.existing() == RunStore::Existing::SessionAndParts);
        try {
            store.begin(syntheticHead(run));
            FAIL("joined two runs");
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::BadSession);
            CHECK_THAT(error.what(), Catch::Contains("do not belong together"));
        }
        CHECK(Session::open(path)->head().uuid == "other");
    }
}

TEST_CASE("RunStore: a session that another run finished meanwhile is seen", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"chosen_experts"};
    Head other = syntheticHead(run);
    other.corpus.ids[3] += 1;
    RunStore late(path);
    tests::writeSyntheticSession(path, run);
    CHECK_THROWS_AS(late.begin(other), Error);
    CHECK_NOTHROW(late.begin(syntheticHead(run)));
    CHECK(late.hasPart(syntheticParts(run).front().key));
}

TEST_CASE("RunStore: a run that finished nothing leaves nothing", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    {
        RunStore store(path);
        store.begin(syntheticHead({}));
        CHECK(std::filesystem::exists(partialOf(path)));
    }
    CHECK_FALSE(std::filesystem::exists(partialOf(path)));
    std::filesystem::create_directory(partialOf(path));
    writeFileAtomically(partialOf(path) + "/head.h5", "whatever");
    CHECK(RunStore(path).existing() == RunStore::Existing::Nothing);  // SIGKILL before a part
    CHECK_THROWS_AS(RunStore(partialOf(path)), Error);
}

TEST_CASE("RunStore: layers of different shape are kept", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"rank_counts"};
    auto parts = syntheticParts(run);
    parts.back().quantities.front().values = NdArray(ElementType::U64, {3, 3});
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        for (const Part& part : parts) {
            store.writePart(part);
        }
        store.finish();
    }
    const auto opened = Session::open(path);
    const QuantityId id{BranchId(0), "rank_counts", "count"};
    CHECK(opened->find(id)->layers.size() == 3);
    CHECK(opened->read(id, LayerId(3)).shape() == Shape{3, 3});
    CHECK(opened->read(id, LayerId(1)).shape() == Shape{8, 8});
}

TEST_CASE("RunStore: warnings are kept", "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"rank_counts"};
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        auto parts = syntheticParts(run);
        parts.front().warnings = {"NaN in up_proj of expert 2"};
        for (const Part& part : parts) {
            store.writePart(part);
        }
        store.finish();
    }
    const auto warnings = Session::open(path)->warnings();
    REQUIRE(warnings.size() == 1);
    CHECK(warnings.front() == "rank_counts, layer 1: NaN in up_proj of expert 2");
}

TEST_CASE("RunStore: a model whose every tensor is broken leaves a session that opens",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"rank_counts"};
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        auto parts = syntheticParts(run);
        parts.front().warnings.assign(20000, std::string(120, 'x'));
        for (const Part& part : parts) {
            store.writePart(part);
        }
        store.finish();
    }
    CHECK(Session::open(path)->warnings().size() == 20000);
}

TEST_CASE("RunStore: an unwritable place and a full disk are reported", "[core][session]") {
    try {
        RunStore store("/proc/nowhere/run.h5");
        store.begin(syntheticHead({}));
        FAIL("wrote below /proc");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::FileUnwritable);
    }
}

TEST_CASE("RunStore: what there is so far of a part is seen and finishes nothing",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    const auto path = folder / "run.h5";
    SyntheticRun run;
    run.experiments = {"chosen_experts", "expert_removal"};
    const QuantityId id{BranchId(0), "expert_removal", "intact"};
    std::vector<Part> parts = syntheticParts(run);
    const auto removal = std::find_if(parts.begin(), parts.end(), [](const Part& part) {
        return part.key.experiment == "expert_removal";
    });
    REQUIRE(removal != parts.end());
    Part interim = *removal;
    interim.quantities.front().values =
        NdArray::from<double>({3}, std::vector<double>{7.0, 0.0, 0.0});
    {
        RunStore store(path);
        store.begin(syntheticHead(run));
        store.writePart(parts.front());
        store.writeInterim(interim);
        CHECK_FALSE(store.hasPart(interim.key));
        const auto seen = Session::open(partialOf(path));
        CHECK(seen->read(id, std::nullopt).at(0) == 7.0);
        for (const ExperimentRecord& record : seen->head().experiments) {
            CHECK((record.id != "expert_removal" || record.state != ExperimentState::Done));
        }
        store.suspend();
    }
    RunStore store(path);
    store.begin(syntheticHead(run));
    CHECK(store.hasPart(parts.front().key));
    CHECK_FALSE(store.hasPart(interim.key));
    store.writeInterim(interim);
    for (const Part& part : parts) {
        store.writePart(part);
    }
    CHECK(Session::open(partialOf(path))->read(id, std::nullopt) ==
          removal->quantities.front().values);
    store.finish();
    CHECK(Session::open(path)->read(id, std::nullopt) == removal->quantities.front().values);
}

TEST_CASE("RunStore: many floating-point numbers of a layer are stored as they are",
          "[core][session]") {
    const tests::TemporaryFolder folder;
    tests::SyntheticRun run;
    run.layers = 2;
    run.experts = 8;
    run.tokens = 140'000;
    run.experiments = {"norms_scores", "chosen_experts"};
    tests::writeSyntheticSession(folder / "large.h5", run);
    const auto session = session::Session::open(folder / "large.h5");
    const std::uint64_t plain = 2 * std::uint64_t{140'000} * 8 * sizeof(float);  // norm and score
    CHECK(std::filesystem::file_size(folder / "large.h5") > plain);
    for (const session::Part& part : tests::syntheticParts(run)) {
        for (const session::Quantity& quantity : part.quantities) {
            if (quantity.name == "norm" || quantity.name == "weights") {
                CHECK(session->read({BranchId{}, part.key.experiment, quantity.name},
                                    part.key.layer) == quantity.values);
            }
        }
    }
    run.tokens = 14'000;  // below half a MiB: deflated
    run.experiments = {"norms_scores"};
    tests::writeSyntheticSession(folder / "small.h5", run);
    const std::uint64_t raw = 2 * std::uint64_t{14'000} * 8 * sizeof(float);
    CHECK(std::filesystem::file_size(folder / "small.h5") < raw);
}
