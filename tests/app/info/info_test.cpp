// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/info/info.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/experiments/catalogue.h"
#include "core/session/run_store.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/session_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <algorithm>

using namespace moescope;
using namespace moescope::tests;
using nlohmann::json;

TEST_CASE("info: a session lists everything that is in it", "[app][info]") {
    const TemporaryFolder folder;
    writeSyntheticSession(folder / "run.h5", {.experts = 16, .topK = 4});
    const json card = json::parse(info::infoText(folder / "run.h5", true));
    CHECK(card["kind"] == "session");
    CHECK(card["format_version"] == "1.6");
    CHECK(card["complete"] == true);
    CHECK(card["layers"] == 4);
    CHECK(card["experts"] == 16);
    CHECK(card["top_k"] == 4);
    CHECK(card["tokens"] == 60);
    CHECK(card["documents"] == 3);
    CHECK(card["model"]["layers"][0]["kind"] == "dense");
    CHECK(card["model"]["layers"][1]["experts"] == 16);
    CHECK(card["baselines"].size() == 1);
    CHECK(card["experiments"].size() == 18);
    for (const json& experiment : card["experiments"]) {
        CHECK(experiment["state"] == "done");
        CHECK(experiment["options"].is_object());
    }
    const auto& datasets = card["datasets"];
    const auto ids = std::find_if(datasets.begin(), datasets.end(), [](const json& dataset) {
        return dataset["experiment"] == "chosen_experts" && dataset["quantity"] == "ids";
    });
    REQUIRE(ids != datasets.end());
    CHECK((*ids)["shape"] == json::array({3, 60, 4}));
    CHECK((*ids)["axes"] == json::array({"layer", "token", "k"}));
    CHECK((*ids)["dtype"] == "uint8");
    CHECK((*ids)["layers"] == json::array({1, 2, 3}));
    CHECK_THAT((*ids)["path"].get<std::string>(), Catch::Contains("chosen_experts/ids"));
    for (const json& dataset : datasets) {
        CHECK(dataset["shape"].size() == dataset["axes"].size());
    }

    CHECK_THAT(info::infoText(folder / "run.h5", false, true),
               Catch::Contains("uint8") && Catch::Contains("[3, 60, 4]"));
    const std::string text = info::infoText(folder / "run.h5", false);
    CHECK_THAT(text, Catch::Contains("16 experts, top 4") && Catch::Contains("60 tokens in 3") &&
                         Catch::Contains("rank_counts") && !Catch::Contains("uint8") &&
                         Catch::Contains(std::to_string(datasets.size()) + " (--datasets"));
    CHECK_THAT(text, Catch::Contains("Kept token by token") &&
                         Catch::Contains("norms_scores               all 60 tokens") &&
                         Catch::Contains("intermediate_states        8 of 60 tokens"));
    CHECK_THAT(text, Catch::Contains("Losses of all tokens kept (expert_removal)\n"
                                     "  without one expert in one layer, each\n"
                                     "  without the set 1:0,2:1\n  without the set 3\n"));
}

TEST_CASE("info: the state of an unfinished experiment stands apart", "[app][info]") {
    const TemporaryFolder folder;
    session::RunStore store(folder / "run.h5");
    SyntheticRun run;
    run.experiments = {"rank_counts"};
    store.begin(syntheticHead(run));
    store.writePart(syntheticParts(run).front());
    store.suspend();
    CHECK_THAT(info::infoText(folder / "run.h5.partial", false),
               Catch::Contains("unfinished  1 of 3 layers"));
}

TEST_CASE("info: questions of a session", "[app][info]") {
    const TemporaryFolder folder;
    SyntheticRun run;
    run.experiments = {"chosen_experts"};
    const auto write = [&](const text::TokenizedChoices& choices) {
        session::RunStore store(folder / "run.h5");
        session::Head head = syntheticHead(run);
        head.choices = choices;
        store.begin(head);
        for (const auto& part : syntheticParts(run)) {
            store.writePart(part);
        }
        store.finish();
    };
    text::TokenizedChoices choices;
    choices.source = "arc.jsonl";
    choices.offsets = {0, 2, 4, 7, 9};
    choices.ids.assign(9, 1);
    choices.contextLength.assign(4, 1);
    choices.question = {0, 0, 1, 1};
    choices.answer = {1, 0};
    write(choices);
    CHECK_THAT(
        info::infoText(folder / "run.h5", false),
        Catch::Contains("Questions    2 multiple-choice questions from arc.jsonl, 4 choices, "
                        "by chance 50.0 % right"));
    const json card = json::parse(info::infoText(folder / "run.h5", true));
    CHECK(card["questions"] == json{{"source", "arc.jsonl"},
                                    {"questions", 2},
                                    {"choices", 4},
                                    {"tokens", 9},
                                    {"chance", 0.5}});
    std::filesystem::remove(folder / "run.h5");
    write({});
    CHECK(json::parse(info::infoText(folder / "run.h5", true))["questions"].is_null());
    CHECK(info::infoText(folder / "run.h5", false).find("Questions") == std::string::npos);
}

TEST_CASE("info: a checkpoint has a model card", "[app][info]") {
    const auto path = referenceDir() / "models/mixtral";
    const std::string text = info::infoText(path, false);
    CHECK_THAT(text, Catch::Contains("Mixtral"));
    CHECK(json::parse(info::infoText(path, true)).is_object());
    CHECK_FALSE(info::infoText(path / "config.json", false).empty());
}

TEST_CASE("info: a folder of checkpoints lists them, damaged ones with the reason", "[app][info]") {
    const TemporaryFolder folder;
    std::filesystem::copy(referenceDir() / "models/llama", folder / "a-llama");
    std::filesystem::copy(referenceDir() / "models/deepseek", folder / "b-deepseek");
    std::filesystem::copy(referenceDir() / "models/mistral-window", folder / "c-damaged");
    writeFileAtomically(folder / "c-damaged" / "model.safetensors", "no safetensors at all");
    const json list = json::parse(info::infoText(folder.path(), true));
    CHECK(list["kind"] == "checkpoint_folder");
    REQUIRE(list["checkpoints"].size() == 3);
    CHECK(list["checkpoints"][2].contains("error"));
    const std::string text = info::infoText(folder.path(), false);
    CHECK_THAT(text, Catch::Contains("3 checkpoints") && Catch::Contains("a-llama") &&
                         Catch::Contains("DeepSeekMoE") && Catch::Contains("damaged"));
}

TEST_CASE("info: a GGUF file, a folder with one, an architecture that is not known",
          "[app][info]") {
    const TemporaryFolder folder;
    const std::filesystem::path file = folder / "tiny.Q4_0.gguf";
    std::filesystem::copy_file(referenceDir() / "gguf/mixtral-quantised.gguf", file);
    for (const auto& path : {file, folder.path()}) {
        CHECK_THAT(info::infoText(path, false),
                   Catch::Contains("tiny.Q4_0 (Mixtral)") && Catch::Contains("MXFP4") &&
                       Catch::Contains("softmax over 5, top 2, renormalised"));
    }
    std::string other = readTextFile(file);
    for (auto at = other.find("llama"); at != std::string::npos; at = other.find("llama", at)) {
        other.replace(at, 5, "mamba");
    }
    writeFileAtomically(file, other);
    checkThrows([&] { static_cast<void>(info::infoText(file, false)); }, ErrorCode::UnknownFamily,
                {"tiny.Q4_0.gguf", "\"mamba\"", "deepseek2", "qwen3moe"});
}

TEST_CASE("info: what is neither is refused with the right code", "[app][info]") {
    const TemporaryFolder folder;
    const auto infoOf = [](const std::filesystem::path& path) {
        return [path] { static_cast<void>(info::infoText(path, false)); };
    };
    checkThrows(infoOf(folder / "nothing"), ErrorCode::FileNotFound, {"nothing"});
    checkThrows(infoOf(folder.path()), ErrorCode::BadCheckpoint, {"config.json"});
    writeFileAtomically(folder / "notes.txt", "not a session");
    checkThrows(infoOf(folder / "notes.txt"), ErrorCode::BadSession, {"notes.txt"});
    writeFileAtomically(folder / "short.h5", "\x89HDF\r\n\x1a\n cut");
    checkThrows(infoOf(folder / "short.h5"), ErrorCode::BadSession, {"short.h5"});
}

TEST_CASE("info --experiments: ids, labels and groups, as text and JSON", "[app][info]") {
    const std::string text = info::infoText(cli::InfoOptions{.experiments = true});
    CHECK_THAT(text, Catch::Contains("rank_counts") && Catch::Contains("B3") &&
                         Catch::Contains("removal ") && Catch::Contains(": C4, C6"));
    const json list =
        json::parse(info::infoText(cli::InfoOptions{.json = true, .experiments = true}));
    CHECK(list["experiments"].size() == experiments::catalogue().size());
    CHECK(list["groups"]["removal"] == json{"expert_removal", "fewer_experts"});
}
