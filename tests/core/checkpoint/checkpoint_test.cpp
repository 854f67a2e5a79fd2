// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/checkpoint.h"

#include "tests/support/catch.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <algorithm>
#include <array>
#include <vector>

using namespace moescope;
using namespace moescope::checkpoint;
using tests::checkThrows;
using tests::SafetensorsBuilder;
using tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr std::array<float, 2> kValues{1.0F, 2.0F};

void writeConfig(const fs::path& folder) {
    fs::create_directories(folder);
    tests::writeFile(folder / "config.json", R"({"model_type": "mixtral"})");
}

void writeShard(const fs::path& path, const std::vector<std::string>& names) {
    SafetensorsBuilder builder;
    for (const auto& name : names) {
        builder.addFloats(name, {2}, kValues);
    }
    builder.write(path);
}

void writeIndex(const fs::path& folder,
                const std::vector<std::pair<std::string, std::string>>& map) {
    std::string entries;
    for (const auto& [tensor, shard] : map) {
        entries += (entries.empty() ? "\"" : ",\"") + tensor + "\":\"" + shard + "\"";
    }
    tests::writeFile(folder / "model.safetensors.index.json",
                     R"({"metadata":{"total_size":16},"weight_map":{)" + entries + "}}");
}

void writeSingle(const fs::path& folder) {
    writeConfig(folder);
    writeShard(folder / "model.safetensors", {"b", "a"});
}

void writeSharded(const fs::path& folder) {
    writeConfig(folder);
    writeShard(folder / "one.safetensors", {"b"});
    writeShard(folder / "two.safetensors", {"a", "c"});
    writeIndex(folder,
               {{"a", "two.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}});
}

}  // namespace

TEST_CASE("Checkpoint: a folder with one file", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeSingle(root / "tiny");
    for (const auto& path : {root / "tiny", root / "tiny/", root / "tiny/config.json",
                             root / "tiny/model.safetensors", root / "tiny/../tiny/."}) {
        INFO(path.string());
        const Checkpoint checkpoint(path);
        CHECK(checkpoint.displayName() == "tiny");
        CHECK(checkpoint.configText() == R"({"model_type": "mixtral"})");
        REQUIRE(checkpoint.tensorNames() == std::vector<std::string_view>{"a", "b"});
        const auto tensor = checkpoint.require("b");
        CHECK(tensor.shape == Shape{2});
        CHECK(tensor.bytes.size() == 8);
        // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bytes, not the values
        CHECK(std::memcmp(tensor.bytes.data(), kValues.data(), 8) == 0);
        checkpoint.willNeed(tensor);
        checkpoint.dontNeed(tensor);
        CHECK_FALSE(checkpoint.find("c").has_value());
        checkThrows([&] { (void)checkpoint.require("c"); }, ErrorCode::MissingTensor,
                    {"tiny", "\"c\""});
    }
}

TEST_CASE("Checkpoint: shards with an index", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeSharded(root / "m");
    const Checkpoint checkpoint(root / "m");
    CHECK(checkpoint.files().size() == 2);
    CHECK(checkpoint.tensorNames() == std::vector<std::string_view>{"a", "b", "c"});
    CHECK(checkpoint.require("c").fileIndex == 1);
}

TEST_CASE("Checkpoint: an index that contradicts its shards", "[core][checkpoint]") {
    const TemporaryFolder root;
    const fs::path folder = root / "m";
    writeSharded(folder);
    const auto open = [&] { (void)Checkpoint(folder); };
    SECTION("shard missing") {
        fs::remove(folder / "two.safetensors");
        checkThrows(open, ErrorCode::FileNotFound, {"two.safetensors", "\"a\""});
    }
    SECTION("tensor not in its shard") {
        writeShard(folder / "two.safetensors", {"a"});
        checkThrows(open, ErrorCode::MissingTensor, {"\"c\"", "two.safetensors", "not there"});
    }
    SECTION("tensor in another shard") {
        writeShard(folder / "one.safetensors", {"b", "c"});
        writeShard(folder / "two.safetensors", {"a"});
        checkThrows(open, ErrorCode::BadCheckpoint,
                    {"\"c\"", "two.safetensors", "in one.safetensors"});
    }
    SECTION("tensor in two shards") {
        writeShard(folder / "one.safetensors", {"b", "c"});
        checkThrows(open, ErrorCode::BadCheckpoint,
                    {"\"c\"", "one.safetensors", "two.safetensors", "two shards"});
    }
    SECTION("shard damaged") {
        tests::writeFile(folder / "two.safetensors", "short");
        checkThrows(open, ErrorCode::BadCheckpoint, {"two.safetensors"});
    }
    SECTION("path outside the folder") {
        for (const auto* name : {"../one.safetensors", "/etc/passwd", "..", ""}) {
            writeIndex(folder, {{"a", name}});
            checkThrows(open, ErrorCode::BadCheckpoint, {"index.json", "\"a\"", name});
        }
    }
    SECTION("index of another form") {
        for (const auto* text :
             {"{}", "[]", R"({"weight_map":{}})", R"({"weight_map":{"a":1}})",
              R"({"weight_map":[]})", R"({"weight_map":)", R"({"weight_map":{"a":"x","a":"y"}})"}) {
            tests::writeFile(folder / "model.safetensors.index.json", text);
            checkThrows(open, ErrorCode::BadCheckpoint, {"index.json"});
        }
    }
}

TEST_CASE("Checkpoint: shards without an index must be complete", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeConfig(root / "m");
    writeShard(root / "m/model-00001-of-00002.safetensors", {"a"});
    checkThrows([&] { (void)Checkpoint(root / "m"); }, ErrorCode::FileNotFound, {"1 of 2 shards"});
    writeShard(root / "m/model-00002-of-00002.safetensors", {"b"});
    writeShard(root / "m/adapter.safetensors", {"b"});
    CHECK(Checkpoint(root / "m").tensorNames().size() == 2);
}

TEST_CASE("Checkpoint: folders that are none say why", "[core][checkpoint]") {
    const TemporaryFolder root;
    const auto open = [](const fs::path& path) { return [path] { (void)Checkpoint(path); }; };
    checkThrows(open(root / "absent"), ErrorCode::FileNotFound, {"absent"});
    checkThrows(open(""), ErrorCode::FileNotFound, {"exist"});
    checkThrows(open(root.path()), ErrorCode::BadCheckpoint, {"config.json"});
    writeConfig(root / "m");
    checkThrows(open(root / "m"), ErrorCode::BadCheckpoint, {"no *.safetensors"});
    tests::writeFile(root / "m/training_args.bin", "x");
    checkThrows(open(root / "m"), ErrorCode::Unsupported,
                {"training_args.bin", "safetensors form"});
    tests::writeFile(root / "m/pytorch_model.bin", "x");
    checkThrows(open(root / "m"), ErrorCode::BadCheckpoint, {"pytorch_model.bin", "ZIP"});
    checkThrows(open(root / "m/pytorch_model.bin"), ErrorCode::BadCheckpoint, {"ZIP"});
    fs::create_directories(root / "g");
    tests::writeFile(root / "g/model.gguf", "x");
    checkThrows(open(root / "g"), ErrorCode::BadCheckpoint, {"model.gguf", "GGUF"});
    tests::writeFile(root / "g/notes.txt", "x");
    checkThrows(open(root / "g/notes.txt"), ErrorCode::BadCheckpoint, {"notes.txt"});
    fs::create_symlink("nowhere", root / "m/model.safetensors");
    checkThrows(open(root / "m"), ErrorCode::FileNotFound, {"link to nowhere"});
}

TEST_CASE("Checkpoint: the hub's cache layout", "[core][checkpoint]") {
    const TemporaryFolder root;
    const fs::path hub = root / "models--mistral--Mixtral-8x7B";
    const fs::path snapshot = hub / "snapshots" / "abc";
    fs::create_directories(hub / "blobs");
    fs::create_directories(hub / "refs");
    fs::create_directories(snapshot);
    tests::writeFile(hub / "blobs/1", R"({"model_type": "x"})");
    writeShard(hub / "blobs/2", {"a"});
    fs::create_symlink("../../blobs/1", snapshot / "config.json");
    fs::create_symlink("../../blobs/2", snapshot / "model.safetensors");
    CHECK(Checkpoint(hub).displayName() == "mistral/Mixtral-8x7B");
    CHECK(Checkpoint(snapshot).displayName() == "mistral/Mixtral-8x7B");

    fs::create_directories(hub / "snapshots/zzz");
    checkThrows([&] { (void)Checkpoint(hub); }, ErrorCode::BadCheckpoint, {"2 snapshots"});
    tests::writeFile(hub / "refs/main", "abc\n");
    CHECK(Checkpoint(hub).folder() == snapshot);
    CHECK(findCheckpoints(root.path()) == std::vector<fs::path>{snapshot});
    for (const auto* hash : {"gone", "../refs", ""}) {
        tests::writeFile(hub / "refs/main", hash);
        checkThrows([&] { (void)Checkpoint(hub); }, ErrorCode::BadCheckpoint, {"refs/main", hash});
    }
    fs::remove(hub / "blobs/2");
    checkThrows([&] { (void)Checkpoint(snapshot); }, ErrorCode::FileNotFound, {"blobs/2"});
}

TEST_CASE("Checkpoint: a folder of checkpoints is listed", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeSingle(root / "b");
    writeSharded(root / "a");
    fs::create_directories(root / "c");
    CHECK(findCheckpoints(root.path()) == std::vector<fs::path>{root / "a", root / "b"});
    CHECK(findCheckpoints(root / "a") == std::vector<fs::path>{root / "a"});
    CHECK(findCheckpoints(root / "absent").empty());
    checkThrows([&] { (void)Checkpoint(root.path()); }, ErrorCode::BadCheckpoint,
                {"2 checkpoints", (root / "a").string(), (root / "b").string()});
}

TEST_CASE("Checkpoint: identity follows the content, not the place", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeSharded(root / "a");
    fs::copy(root / "a", root / "b");
    const auto identity = Checkpoint(root / "a").identity();
    CHECK(identity.size() == 64);
    CHECK(Checkpoint(root / "b").identity() == identity);

    SafetensorsBuilder other;
    other.addFloats("b", {2}, std::array<float, 2>{1.0F, 2.5F});
    other.write(root / "b/one.safetensors");
    CHECK(Checkpoint(root / "b").identity() != identity);
    tests::writeFile(root / "a/config.json", R"({"model_type": "mixtral", "top_k": 1})");
    CHECK(Checkpoint(root / "a").identity() != identity);
}

TEST_CASE("Checkpoint: identity of a large file samples its whole length", "[core][checkpoint]") {
    const TemporaryFolder root;
    const auto identityWith = [&](std::size_t changed) {
        writeConfig(root / "m");
        std::string data(std::size_t{12} << 20U, '\0');
        data[changed] = 'x';
        SafetensorsBuilder builder;
        builder.add("w", Dtype::U8, {data.size()}, data).write(root / "m/model.safetensors");
        return Checkpoint(root / "m").identity();
    };
    const auto first = identityWith(0);
    CHECK(identityWith((std::size_t{12} << 20U) - 1) != first);
    CHECK(identityWith(0) == first);
}

TEST_CASE("Checkpoint: headers alone open on request", "[core][checkpoint]") {
    const TemporaryFolder root;
    writeConfig(root / "m");
    SafetensorsBuilder builder;
    builder.addShape("w", Dtype::BF16, {1000, 1000}).write(root / "m/model.safetensors");
    CHECK_THROWS_AS(Checkpoint(root / "m"), Error);
    const Checkpoint checkpoint(root / "m", Contents::HeadersOnly);
    CHECK(checkpoint.require("w").shape == Shape{1000, 1000});
    CHECK(checkpoint.require("w").bytes.empty());
    CHECK(checkpoint.identity().size() == 64);
}
