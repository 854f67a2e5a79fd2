// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/safetensors.h"

#include "tests/support/catch.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/throws.h"

#include <array>
#include <random>

using namespace moescope;
using namespace moescope::checkpoint;
using tests::checkThrows;
using tests::rawSafetensors;
using tests::SafetensorsBuilder;

namespace {

SafetensorsHeader read(std::string_view file, Contents contents = Contents::Complete) {
    return readSafetensorsHeader({reinterpret_cast<const std::byte*>(file.data()), file.size()},
                                 "bad.safetensors", contents);
}

/// A header of one tensor "w" with the given fields.
std::string oneTensor(const std::string& fields) {
    return R"({"w":{)" + fields + "}}";
}

struct BrokenCase {
    std::string_view what;
    std::string header;
    std::string data;
    std::string word;  ///< the message must hold it
};

const std::vector<BrokenCase>& brokenHeaders() {
    static const std::string kF32 = R"("dtype":"F32",)";
    static const std::vector<BrokenCase> kCases{
        {"empty header", "", "", "JSON"},
        {"not JSON", "{\"w\":", "", "JSON"},
        {"trailing garbage", "{} x", "", "JSON"},
        {"an array", "[]", "", "array"},
        {"a number", "7", "", "7"},
        {"null tensor", R"({"w":null})", "", "null"},
        {"boolean shape", oneTensor(kF32 + R"("shape":true,"data_offsets":[0,4])"), "abcd",
         "boolean"},
        {"deep JSON", std::string(200000, '[') + std::string(200000, ']'), "", "array"},
        {"deep JSON in a tensor", R"({"w":)" + std::string(200000, '['), "", "\"w\""},
        {"name twice",
         R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
         "ab", "\"w\" twice"},
        {"field twice", oneTensor(R"("dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1])"),
         "a", "dtype"},
        {"unknown field", oneTensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1],"scale":1)"),
         "a", "scale"},
        {"no dtype", oneTensor(R"("shape":[1],"data_offsets":[0,4])"), "abcd", "\"w\""},
        {"no shape", oneTensor(R"("dtype":"F32","data_offsets":[0,4])"), "abcd", "\"w\""},
        {"no offsets", oneTensor(R"("dtype":"F32","shape":[1])"), "abcd", "\"w\""},
        {"one offset", oneTensor(kF32 + R"("shape":[1],"data_offsets":[4])"), "abcd", "two"},
        {"three offsets", oneTensor(kF32 + R"("shape":[1],"data_offsets":[0,4,8])"), "abcd", "8"},
        {"negative dimension", oneTensor(kF32 + R"("shape":[-1],"data_offsets":[0,4])"), "abcd",
         "-1"},
        {"negative offset", oneTensor(kF32 + R"("shape":[1],"data_offsets":[-4,0])"), "abcd", "-4"},
        {"fraction", oneTensor(kF32 + R"("shape":[1.5],"data_offsets":[0,4])"), "abcd", "1.5"},
        {"beyond 64 bits",
         oneTensor(kF32 + R"("shape":[99999999999999999999],"data_offsets":[0,4])"), "abcd",
         "99999999999999999999"},
        {"string offsets", oneTensor(kF32 + R"("shape":[1],"data_offsets":["0","4"])"), "abcd",
         "\"0\""},
        {"17 dimensions",
         oneTensor(kF32 + R"("shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"),
         "abcd", "dimensions"},
        {"number as metadata", R"({"__metadata__":{"format":1}})", "", "1"},
        {"metadata twice", R"({"__metadata__":{},"__metadata__":{}})", "", "__metadata__"},
        {"nested metadata", R"({"__metadata__":{"a":{}}})", "", "object"},
        {"end before begin", oneTensor(kF32 + R"("shape":[1],"data_offsets":[4,0])"), "abcd",
         "ends before"},
        {"2^63 sizes",
         oneTensor(
             R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,9223372036854775808])"),
         "abcd", "cut short"},
        {"2^64-1 end",
         oneTensor(
             R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615])"),
         "abcd", "cut short"},
        {"overflowing shape",
         oneTensor(kF32 + R"("shape":[4294967296,4294967296],"data_offsets":[0,0])"), "",
         "larger than any file"},
        {"overflowing bytes",
         oneTensor(R"("dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0])"), "",
         "larger than any file"},
        {"shape against offsets", oneTensor(kF32 + R"("shape":[2],"data_offsets":[0,4])"), "abcd",
         "needs 8 bytes"},
        {"dtype against offsets", oneTensor(R"("dtype":"F16","shape":[1],"data_offsets":[0,4])"),
         "abcd", "F16"},
        {"overlap",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
         "abcdef", "overlap"},
        {"the same bytes twice",
         R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
         "abcd", "overlap"},
        {"hole",
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
         "abcd", "no tensor"},
        {"cut short", oneTensor(kF32 + R"("shape":[2],"data_offsets":[0,8])"), "abcdefg",
         "cut short"},
        {"bytes left over", oneTensor(kF32 + R"("shape":[1],"data_offsets":[0,4])"), "abcdefg",
         "3 bytes after"},
    };
    return kCases;
}

}  // namespace

TEST_CASE("Safetensors: reads tensors in file order", "[core][checkpoint]") {
    const std::array<float, 6> values{1, 2, 3, 4, 5, 6};
    SafetensorsBuilder builder;
    builder.addFloats("b", {2, 3}, values)
        .add("scalar", Dtype::I64, {}, "12345678")
        .add("empty", Dtype::BF16, {0, 7}, "")
        .add("a", Dtype::U8, {2}, "xy");
    const auto file = builder.bytes();
    const auto header = read(file);
    REQUIRE(header.entries.size() == 4);
    CHECK(header.bytes == file.size() - 24 - 8 - 2);
    CHECK(header.entries[0].name == "b");
    CHECK(header.entries[0].shape == Shape{2, 3});
    CHECK(header.entries[0].begin == header.bytes);
    CHECK(header.entries[1].shape.empty());
    CHECK(header.entries[3].name == "a");
    CHECK(header.entries[3].end == file.size());
}

TEST_CASE("Safetensors: metadata, padding and an empty file of tensors are fine",
          "[core][checkpoint]") {
    CHECK(read(rawSafetensors(R"({"__metadata__":{"format":"pt","x":"y"}}    )", ""))
              .entries.empty());
    CHECK(read(rawSafetensors("{}", "")).entries.empty());
}

TEST_CASE("Safetensors: every broken header is refused with file and reason",
          "[core][checkpoint]") {
    for (const auto& broken : brokenHeaders()) {
        INFO(broken.what);
        checkThrows([&] { (void)read(rawSafetensors(broken.header, broken.data)); },
                    ErrorCode::BadCheckpoint, {"bad.safetensors", broken.word});
    }
}

TEST_CASE("Safetensors: the length field is checked against the file", "[core][checkpoint]") {
    checkThrows([] { (void)read(""); }, ErrorCode::BadCheckpoint, {"0 bytes"});
    checkThrows([] { (void)read("1234567"); }, ErrorCode::BadCheckpoint, {"7 bytes"});
    const std::string huge(8, '\xFF');
    checkThrows([&] { (void)read(huge + "{}"); }, ErrorCode::BadCheckpoint, {"claims"});
    checkThrows([] { (void)read(rawSafetensors("{}", "").substr(0, 9)); }, ErrorCode::BadCheckpoint,
                {"only 1 follow"});
    checkThrows([] { (void)read("version https://git-lfs.github.com/spec/v1\n"); },
                ErrorCode::BadCheckpoint, {"Git LFS"});
}

TEST_CASE("Safetensors: a dtype that we do not know is named", "[core][checkpoint]") {
    checkThrows(
        [] {
            (void)read(rawSafetensors(
                oneTensor(R"("dtype":"F4_E9","shape":[1],"data_offsets":[0,1])"), "a"));
        },
        ErrorCode::Unsupported, {"bad.safetensors", "\"w\"", "F4_E9"});
}

TEST_CASE("Safetensors: headers alone are enough where only headers are asked for",
          "[core][checkpoint]") {
    SafetensorsBuilder builder;
    builder.addShape("w", Dtype::BF16, {1U << 20U, 1U << 20U});
    const auto file = builder.bytes();
    CHECK(read(file, Contents::HeadersOnly).entries.at(0).end == file.size() + (1ULL << 41U));
    CHECK_THROWS_AS(read(file), Error);
    checkThrows(
        [] {
            (void)read(
                rawSafetensors(
                    oneTensor(
                        R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615])"),
                    ""),
                Contents::HeadersOnly);
        },
        ErrorCode::BadCheckpoint, {"beyond any file"});
}

TEST_CASE("Safetensors: a good file with any byte changed or cut anywhere never crashes",
          "[core][checkpoint]") {
    SafetensorsBuilder builder;
    const std::array<float, 4> values{1, 2, 3, 4};
    builder.addFloats("model.a", {4}, values).add("model.b", Dtype::U8, {3}, "xyz");
    const std::string good = builder.bytes();
    std::size_t accepted = 0;
    const auto attempt = [&](const std::string& file) {
        try {
            for (const auto& entry : read(file).entries) {
                REQUIRE(entry.begin <= entry.end);
                REQUIRE(entry.end <= file.size());
            }
            ++accepted;
        } catch (const Error&) {
            // Refused: that is right for most of them.
        }
    };
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        attempt(good.substr(0, cut));
    }
    CHECK(accepted == 0);
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i) {
        std::string file = good;
        for (auto changes = 1 + random() % 3U; changes > 0; --changes) {
            file[random() % file.size()] = static_cast<char>(random() & 0xFFU);
        }
        attempt(file);
    }
    CHECK(accepted > 0);  // a change in the data or in a name leaves the file well-formed
}
