// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/gguf/gguf_file.h"

#include "tests/support/catch.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/throws.h"

using namespace moescope;
using tests::GgufBuilder;

namespace {

constexpr std::uint32_t kF32 = 0, kQ8_0 = 8, kQ4_K = 12;

std::span<const std::byte> asBytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

GgufBuilder small() {
    GgufBuilder builder;
    builder.text("general.architecture", "llama")
        .integer("llama.block_count", 2)
        .number("llama.epsilon", 6, 1e-5F)
        .number("llama.big", 10, std::uint64_t{1} << 63U)
        .number("llama.flag", 7, std::uint8_t{1})
        .texts("tokens", {"a", "", "bc"})
        .numbers("types", 5, std::vector<std::int32_t>{1, -2})
        .tensor("x", {3, 2}, kF32, 0)
        .tensor("y", {64}, kQ8_0, 32);
    return builder;
}

void refused(const GgufBuilder& builder, ErrorCode code, const std::vector<std::string>& words,
             std::string_view data = {}) {
    const std::string file = builder.bytes(data);
    tests::checkThrows([&] { (void)gguf::readFile(asBytes(file), "some.gguf"); }, code, words);
}

}  // namespace

TEST_CASE("GgufFile: metadata and tensors", "[core][gguf]") {
    const std::string data(32 + 68, 'd');
    const std::string file = small().bytes(data);
    const auto parsed = gguf::readFile(asBytes(file), "some.gguf");
    const auto& metadata = parsed.metadata;
    CHECK(metadata.text("general.architecture") == "llama");
    CHECK(metadata.integer("llama.block_count") == 2);
    CHECK(metadata.number("llama.block_count") == 2.0);
    CHECK(metadata.number("llama.epsilon") == static_cast<double>(1e-5F));
    CHECK(metadata.flag("llama.flag") == true);
    CHECK(metadata.texts("tokens") == std::vector<std::string_view>{"a", "", "bc"});
    CHECK(metadata.integers("types") == std::vector<std::int64_t>{1, -2});
    CHECK_FALSE(metadata.text("absent").has_value());
    CHECK(metadata.shown("tokens") == "an array of 3");
    CHECK(metadata.shown("llama.big") == "9223372036854775808");
    for (const auto& read : std::vector<std::function<void()>>{
             [&] { (void)metadata.integer("general.architecture"); },
             [&] { (void)metadata.text("llama.block_count"); },
             [&] { (void)metadata.integer("llama.big"); }, [&] { (void)metadata.texts("types"); },
             [&] { (void)metadata.integer("types"); },
             [&] { (void)metadata.flag("llama.epsilon"); }}) {
        tests::checkThrows(read, ErrorCode::BadCheckpoint, {"some.gguf", "expected"});
    }
    REQUIRE(parsed.tensors.size() == 2);
    CHECK(parsed.tensors[0].name == "x");
    CHECK(parsed.tensors[0].shape == Shape{2, 3});
    CHECK(parsed.tensors[0].end - parsed.tensors[0].begin == 24);
    CHECK(parsed.tensors[0].begin % 32 == 0);
    CHECK(parsed.tensors[1].type->name == "Q8_0");
    CHECK(parsed.tensors[1].end == file.size());
    CHECK(parsed.headerBytes <= parsed.tensors[0].begin);

    tests::checkThrows(
        [&] { (void)gguf::readFile(asBytes(file).first(file.size() - 1), "some.gguf"); },
        ErrorCode::BadCheckpoint, {"\"y\"", "cut short"});
    CHECK(gguf::readFile(asBytes(file).first(file.size() - 100), "some.gguf",
                         gguf::Data::MayBeMissing)
              .tensors.size() == 2);
}

TEST_CASE("GgufFile: versions and byte order", "[core][gguf]") {
    auto builder = small();
    builder.version = 2;
    CHECK(gguf::readFile(asBytes(builder.bytes(std::string(100, 'd'))), "x").tensors.size() == 2);
    builder.version = 1;
    refused(builder, ErrorCode::Unsupported, {"version 1", "Convert"});
    builder.version = 4;
    refused(builder, ErrorCode::Unsupported, {"version 4"});
    builder.version = 3U << 24U;
    refused(builder, ErrorCode::Unsupported, {"big-endian"});
    builder.magic = "GGML";
    refused(builder, ErrorCode::BadCheckpoint, {"does not begin"});
}

TEST_CASE("GgufFile: headers that lie are refused", "[core][gguf]") {
    auto builder = small();
    SECTION("counts") {
        builder.extraTensors = std::uint64_t{1} << 60U;
        refused(builder, ErrorCode::BadCheckpoint, {"tensors", "more than the file"});
        builder = small();
        builder.extraPairs = std::uint64_t{1} << 60U;
        refused(builder, ErrorCode::BadCheckpoint, {"metadata entries"});
    }
    SECTION("doubled") {
        refused(builder.integer("llama.block_count", 1), ErrorCode::BadCheckpoint, {"comes twice"});
        refused(small().tensor("x", {1}, kF32, 128), ErrorCode::BadCheckpoint,
                {"\"x\" comes twice"});
    }
    SECTION("types") {
        refused(builder.number("odd", 13, std::uint8_t{0}), ErrorCode::BadCheckpoint,
                {"unknown type 13"});
        refused(small().tensor("z", {32}, 4, 128), ErrorCode::Unsupported, {"\"z\"", "number 4"});
        auto nested = small();
        nested.numbers("nested", 9, std::vector<std::uint32_t>{8});
        refused(nested, ErrorCode::Unsupported, {"nested", "array of arrays"});
    }
    SECTION("tensors") {
        refused(small().tensor("z", {33}, kQ8_0, 128), ErrorCode::BadCheckpoint,
                {"\"z\"", "whole blocks of 32"});
        refused(small().tensor("z", {32}, kQ4_K, 128), ErrorCode::BadCheckpoint, {"blocks of 256"});
        refused(small().tensor("z", {1}, kF32, 100), ErrorCode::BadCheckpoint, {"aligned to 32"});
        refused(small().tensor("z", {1}, kF32, 0), ErrorCode::BadCheckpoint, {"overlap"});
        refused(small().tensor("z", {1, 1, 1, 1, 1}, kF32, 128), ErrorCode::BadCheckpoint,
                {"5 dimensions"});
        const std::uint64_t huge = std::uint64_t{1} << 40U;
        refused(small().tensor("z", {huge, huge}, kF32, 128), ErrorCode::BadCheckpoint,
                {"larger than any file"});
        refused(small().tensor("z", {1}, kF32, ~std::uint64_t{31}), ErrorCode::BadCheckpoint,
                {"beyond any file"});
        refused(small().tensor(std::string(300, 'n'), {1}, kF32, 128), ErrorCode::BadCheckpoint,
                {"tensor name"});
        refused(small().tensor("z", {}, kF32, 128), ErrorCode::BadCheckpoint, {"\"z\""});
    }
    SECTION("alignment") {
        for (const std::uint32_t value : {0U, 24U, 1U << 24U}) {
            auto odd = small();
            odd.integer("general.alignment", value);
            refused(odd, ErrorCode::BadCheckpoint, {"alignment", std::to_string(value)});
        }
        GgufBuilder wide;
        wide.alignment = 128;
        wide.integer("general.alignment", 128)
            .tensor("x", {1}, kF32, 0)
            .tensor("y", {1}, kF32, 128);
        const std::string file = wide.bytes(std::string(132, 'd'));
        CHECK(gguf::readFile(asBytes(file), "x").tensors[1].end == file.size());
    }
}

TEST_CASE("GgufFile: every prefix and flipped byte is read or refused", "[core][gguf]") {
    const std::string file = small().bytes(std::string(100, 'd'));
    for (std::size_t size = 0; size < file.size(); ++size) {
        CHECK_THROWS_AS(gguf::readFile(asBytes(file).first(size), "cut"), Error);
    }
    for (std::size_t i = 0; i < file.size(); ++i) {
        for (const unsigned change : {0x01U, 0x80U, 0xFFU}) {
            std::string damaged = file;
            damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ change);
            try {
                for (const auto& tensor : gguf::readFile(asBytes(damaged), "damaged").tensors) {
                    REQUIRE(tensor.begin <= tensor.end);
                    REQUIRE(tensor.end <= damaged.size());
                }
            } catch (const Error&) {
                // Most damage is found.
            }
        }
    }
}
