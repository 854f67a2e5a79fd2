// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/torch_file.h"

#include "core/base/file_system.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/pickle.h"
#include "core/checkpoint/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

using namespace moescope;
using namespace moescope::checkpoint;
namespace fs = std::filesystem;

namespace {

fs::path picklesDir() {
    return tests::referenceDir() / "pickles";
}

std::span<const std::byte> asBytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

ErrorCode codeOf(const std::string& word) {
    for (const auto code : {ErrorCode::Unsupported, ErrorCode::BadCheckpoint}) {
        if (name(code) == word) {
            return code;
        }
    }
    throw Error(ErrorCode::Internal, "unexpected code " + word);
}

}  // namespace

TEST_CASE("TorchFile: files of torch.save give the tensors that PyTorch stored",
          "[core][checkpoint]") {
    std::size_t files = 0;
    for (const auto& file : fs::directory_iterator(picklesDir() / "good")) {
        if (file.path().extension() != ".bin") {
            continue;
        }
        ++files;
        INFO(file.path().string());
        fs::path twin = file.path();
        const MappedFile expected(twin.replace_extension(".safetensors"));
        const auto header = readSafetensorsHeader(expected.bytes(), "expected");
        const MappedFile mapped(file.path());
        const auto torch = readTorchFile(mapped.bytes(), file.path().string());
        REQUIRE(torch.tensors.size() == header.entries.size());
        for (const auto& tensor : torch.tensors) {
            INFO(tensor.name);
            const auto found =
                std::find_if(header.entries.begin(), header.entries.end(),
                             [&](const auto& entry) { return entry.name == tensor.name; });
            REQUIRE(found != header.entries.end());
            CHECK(name(tensor.dtype) == name(found->dtype));
            CHECK(tensor.shape == found->shape);
            const auto ours = mapped.bytes().subspan(tensor.begin, tensor.end - tensor.begin);
            const auto theirs = expected.bytes().subspan(found->begin, found->end - found->begin);
            CHECK(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
        }
    }
    CHECK(files == 7);
}

TEST_CASE("TorchFile: harmful and broken files are refused by name", "[core][checkpoint]") {
    const auto answers = nlohmann::json::parse(readTextFile(picklesDir() / "bad.json"));
    CHECK(answers.size() > 50);
    for (const auto& [file, answer] : answers.items()) {
        INFO(file);
        const MappedFile mapped(picklesDir() / "bad" / (file + ".bin"));
        auto words = answer["words"].get<std::vector<std::string>>();
        words.push_back("some.bin");
        tests::checkThrows([&] { (void)readTorchFile(mapped.bytes(), "some.bin"); },
                           codeOf(answer["code"]), words);
    }
    CHECK_FALSE(fs::exists("/tmp/harm"));
}

TEST_CASE("Pickle: bombs end at a limit", "[core][checkpoint]") {
    const std::string proto("\x80\x02", 2);
    SECTION("stack") {
        tests::checkThrows(
            [&] { (void)readStateDict(asBytes(proto + std::string(5'000'000, 'N')), "bomb"); },
            ErrorCode::BadCheckpoint, {"stack"});
    }
    SECTION("marks") {
        tests::checkThrows(
            [&] { (void)readStateDict(asBytes(proto + std::string(5'000'000, '(')), "bomb"); },
            ErrorCode::BadCheckpoint, {"marks"});
    }
    SECTION("instructions") {
        std::string pickle = proto + "]";
        for (int i = 0; i < 5'000'000; ++i) {
            pickle += "Na";
        }
        tests::checkThrows([&] { (void)readStateDict(asBytes(pickle), "bomb"); },
                           ErrorCode::Unsupported, {"instructions"});
    }
    SECTION("a list in a list in a list") {
        // Each remembers itself and is put twice into the next: 2^60 leaves if one walked it.
        std::string pickle = proto + "]q" + std::string(1, '\0');
        for (char i = 1; i < 60; ++i) {
            const char before = static_cast<char>(i - 1);
            pickle += std::string("]q") + i + "h" + before + "ah" + before + "a";
        }
        tests::checkThrows([&] { (void)readStateDict(asBytes(pickle + "."), "bomb"); },
                           ErrorCode::BadCheckpoint, {"one value"});
    }
}

TEST_CASE("TorchFile: every prefix and every flipped byte is read or refused",
          "[core][checkpoint]") {
    const std::string good = readTextFile(picklesDir() / "good/state_dict.bin");
    for (std::size_t size = 0; size < good.size(); ++size) {
        CHECK_THROWS_AS(readTorchFile(asBytes(good).first(size), "cut"), Error);
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const unsigned change : {0x01U, 0x80U, 0xFFU}) {
            std::string damaged = good;
            damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ change);
            try {
                for (const auto& tensor : readTorchFile(asBytes(damaged), "damaged").tensors) {
                    REQUIRE(tensor.begin <= tensor.end);
                    REQUIRE(tensor.end <= damaged.size());
                }
            } catch (const Error&) {
                // Most damage is found.
            }
        }
    }
}

TEST_CASE("Checkpoint: shards of .bin, safetensors first", "[core][checkpoint]") {
    const fs::path grok = tests::referenceDir() / "models/grok1";
    const Checkpoint sharded(grok);
    CHECK(sharded.files().size() == 2);
    CHECK(sharded.require("model.layers.0.moe_block.gate.weight").dtype == Dtype::BF16);
    CHECK(sharded.identity() != Checkpoint(tests::referenceDir() / "models/mixtral").identity());

    const tests::TemporaryFolder root;
    fs::create_directories(root / "m");
    for (const auto& entry : fs::directory_iterator(grok)) {
        if (entry.path().filename() != "pytorch_model.bin.index.json") {
            fs::copy_file(entry.path(), root / "m" / entry.path().filename());
        }
    }
    fs::remove(root / "m/expected.safetensors");
    CHECK(Checkpoint(root / "m").tensorNames() == sharded.tensorNames());
    CHECK(Checkpoint(root / "m").identity() == sharded.identity());

    fs::rename(root / "m/pytorch_model-00002-of-00002.bin", root / "m/pytorch_model-00000.bin");
    tests::checkThrows([&] { (void)Checkpoint(root / "m"); }, ErrorCode::FileNotFound,
                       {"1 of 2 shards", "pytorch_model.bin.index.json"});
    fs::rename(root / "m/pytorch_model-00001-of-00002.bin", root / "m/pytorch_model-00001.bin");
    CHECK(Checkpoint(root / "m").tensorNames() == sharded.tensorNames());

    const std::array<float, 2> values{1.0F, 2.0F};
    tests::SafetensorsBuilder().addFloats("a", {2}, values).write(root / "m/model.safetensors");
    CHECK(Checkpoint(root / "m").tensorNames() == std::vector<std::string_view>{"a"});
}

TEST_CASE("Checkpoint: identity of .bin sees weights and pickle", "[core][checkpoint]") {
    const tests::TemporaryFolder root;
    fs::create_directories(root / "m");
    tests::writeFile(root / "m/config.json", "{}");
    const std::string good = readTextFile(picklesDir() / "good/state_dict.bin");
    const auto identity = [&](const std::string& file) {
        tests::writeFile(root / "m/pytorch_model.bin", file);
        return Checkpoint(root / "m").identity();
    };
    const std::string before = identity(good);
    CHECK(identity(good) == before);
    std::string other = good;
    const auto tensors = readTorchFile(asBytes(good), "good").tensors;
    other[tensors.front().begin] = static_cast<char>(other[tensors.front().begin] ^ 1);
    CHECK(identity(other) != before);
}
