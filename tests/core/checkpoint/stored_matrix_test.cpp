// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/decode.h"
#include "core/checkpoint/decode_quantised.h"
#include "core/checkpoint/logical_tensor.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"
#include "tests/support/reference_file.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

#include <cmath>
#include <random>
#include <vector>

using namespace moescope;
using namespace moescope::checkpoint;
using tests::checkThrows;

namespace {

/// The reference file as a checkpoint, with what PyTorch and transformers made of it.
struct Quantised {
    Quantised()
        : folder(root / "model"),
          expected(tests::referenceDir() / "storage" / "quantised.safetensors") {
        std::filesystem::create_directories(folder);
        tests::writeFile(folder / "config.json", "{}");
        std::filesystem::copy_file(tests::referenceDir() / "storage" / "quantised.safetensors",
                                   folder / "model.safetensors");
    }
    tests::TemporaryFolder root;
    std::filesystem::path folder;
    tests::ReferenceFile expected;
};

TensorRef tiles(const std::string& name, const std::string& scales, std::uint64_t rows,
                std::uint64_t columns) {
    TensorRef ref(name + ".weight");
    ref.packing = Packing::Tiles;
    ref.scales = name + scales;
    ref.tileRows = rows;
    ref.tileColumns = columns;
    return ref;
}

TensorRef mxfp4() {
    TensorRef ref("mxfp4.blocks");
    ref.packing = Packing::Mxfp4;
    ref.scales = "mxfp4.scales";
    return ref;
}

TensorRef int4() {
    TensorRef ref = rowsOf("int4.weight_packed", {5, 64}, 0, 5);
    ref.packing = Packing::Int4;
    ref.scales = "int4.weight_scale";
    ref.tileColumns = 32;
    return ref;
}

bool same(float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

/// `part` of the tensor equals rows and columns of the whole, in windows that begin anywhere.
void checkAgainst(const Checkpoint& checkpoint, const TensorRef& ref,
                  const std::vector<float>& whole, std::uint64_t width,
                  const std::function<std::uint64_t(std::uint64_t, std::uint64_t)>& index) {
    const LogicalTensor tensor(checkpoint, ref);
    std::mt19937 random(3);
    const auto draw = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
    };
    for (int attempt = 0; attempt < 40; ++attempt) {
        Window window = tensor.all();
        if (attempt > 0) {
            window.firstRow = draw(tensor.rows() - 1);
            window.rows = draw(tensor.rows() - window.firstRow);
            window.firstColumn = draw(tensor.columns() - 1);
            window.columns = draw(tensor.columns() - window.firstColumn);
        }
        std::vector<float> found(window.rows * window.columns);
        std::vector<std::uint16_t> narrow(found.size());
        tensor.decode(window, found);
        tensor.decode(window, narrow);
        for (std::uint64_t r = 0; r < window.rows; ++r) {
            for (std::uint64_t c = 0; c < window.columns; ++c) {
                const float value = whole.at(index(window.firstRow + r, window.firstColumn + c));
                INFO("row " << window.firstRow + r << " column " << window.firstColumn + c
                            << " of width " << width);
                REQUIRE(same(found[r * window.columns + c], value));
                if (!std::isnan(value)) {
                    REQUIRE(narrow[r * window.columns + c] == toBfloat16(value));
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("Packed tensors: the values are PyTorch's and transformers'", "[core][checkpoint]") {
    const Quantised quantised;
    const Checkpoint checkpoint(quantised.folder);
    const auto check = [&](const std::string& name, const TensorRef& ref) {
        INFO(name);
        const auto expected = quantised.expected.floats(name + ".expected");
        const std::uint64_t width = LogicalTensor(checkpoint, ref).columns();
        checkAgainst(checkpoint, ref, expected, width,
                     [&](auto r, auto c) { return r * width + c; });
    };
    for (const char* name : {"partial", "whole", "row", "column", "codes"}) {
        check(name, tiles(name, ".weight_scale_inv", 128, 128));
    }
    check("per_tensor", tiles("per_tensor", ".weight_scale", 0, 0));
    check("per_tensor_1", tiles("per_tensor_1", ".weight_scale", 0, 0));
    check("per_channel", tiles("per_channel", ".weight_scale", 1, 0));
    check("mxfp4", mxfp4());
    check("int4", int4());
}

TEST_CASE("Packed tensors: parts that begin inside a tile", "[core][checkpoint]") {
    const Quantised quantised;
    const Checkpoint checkpoint(quantised.folder);
    const auto as = [](TensorRef part, const TensorRef& packed) {
        part.name = packed.name;
        part.packing = packed.packing;
        part.scales = packed.scales;
        part.tileRows = packed.tileRows;
        part.tileColumns = packed.tileColumns;
        return part;
    };
    const auto partial = quantised.expected.floats("partial.expected");
    const TensorRef fp8 = tiles("partial", ".weight_scale_inv", 128, 128);
    checkAgainst(checkpoint, as(rowsOf("", {141, 130}, 100, 41), fp8), partial, 130,
                 [](auto r, auto c) { return (100 + r) * 130 + c; });
    checkAgainst(checkpoint,
                 as(rowRunsOf("", {141, 130}, {.first = 1, .count = 70, .run = 1, .step = 2}), fp8),
                 partial, 130, [](auto r, auto c) { return (1 + 2 * r) * 130 + c; });
    checkAgainst(checkpoint,
                 as(transposedOf("", {141, 130}, {.first = 120, .count = 10, .run = 10, .step = 10},
                                 {.first = 5, .count = 130}),
                    fp8),
                 partial, 130, [](auto r, auto c) { return (5 + c) * 130 + 120 + r; });
    const auto blocks = quantised.expected.floats("mxfp4.expected");
    checkAgainst(
        checkpoint,
        as(rowRunsOf("", {2, 3, 64}, {.first = 1, .count = 3, .run = 1, .step = 2}), mxfp4()),
        blocks, 64, [](auto r, auto c) { return (1 + 2 * r) * 64 + c; });
    const auto packed = quantised.expected.floats("int4.expected");
    checkAgainst(checkpoint,
                 as(transposedOf("", {5, 64}, {.first = 3, .count = 58, .run = 58, .step = 58},
                                 {.first = 1, .count = 4}),
                    int4()),
                 packed, 64, [](auto r, auto c) { return (1 + c) * 64 + 3 + r; });
}

TEST_CASE("Packed tensors: bytes of parts add up, scales included", "[core][checkpoint]") {
    const Quantised quantised;
    const Checkpoint checkpoint(quantised.folder);
    const auto bytes = [&](const TensorRef& ref) {
        return LogicalTensor(checkpoint, ref).storedBytes();
    };
    const TensorRef fp8 = tiles("partial", ".weight_scale_inv", 128, 128);
    CHECK(bytes(fp8) == 141 * 130 + 4 * 4);
    CHECK(bytes(mxfp4()) == 2 * 3 * 2 * 17);
    CHECK(bytes(int4()) == 5 * 8 * 4 + 5 * 2 * 2);
    for (const std::uint64_t cut : {1U, 100U, 128U, 129U}) {
        TensorRef head = fp8;
        TensorRef tail = fp8;
        head.part = rowsOf("", {141, 130}, 0, cut).part;
        tail.part = rowsOf("", {141, 130}, cut, 141 - cut).part;
        CHECK(bytes(head) + bytes(tail) == bytes(fp8));
    }
}

TEST_CASE("Packed tensors: values that are not finite are found", "[core][checkpoint]") {
    const Quantised quantised;
    const Checkpoint checkpoint(quantised.folder);
    const auto expected = [&](const std::string& name) {
        const auto values = quantised.expected.floats(name + ".expected");
        return static_cast<std::uint64_t>(std::count_if(
            values.begin(), values.end(), [](float value) { return !std::isfinite(value); }));
    };
    CHECK(expected("codes") == 2);
    CHECK(
        LogicalTensor(checkpoint, tiles("codes", ".weight_scale_inv", 128, 128)).countNonFinite() ==
        2);
    CHECK(LogicalTensor(checkpoint, tiles("partial", ".weight_scale_inv", 128, 128))
              .countNonFinite() == 0);
    CHECK(expected("mxfp4") > 0);  // a scale of 2^127
    CHECK(LogicalTensor(checkpoint, mxfp4()).countNonFinite() == expected("mxfp4"));
    CHECK(LogicalTensor(checkpoint, int4()).countNonFinite() == 0);
}

TEST_CASE("Packed tensors: every instruction set gives the same values", "[core][checkpoint]") {
    std::vector<std::byte> bytes(515);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i * 37 + i / 256);
    }
    const float scale = 0.37F;
    for (const SimdLevel level : {SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512}) {
        for (const Dtype dtype : {Dtype::F8_E4M3, Dtype::F8_E5M2, Dtype::I8, Dtype::U8}) {
            std::vector<float> plain(bytes.size());
            decodeToFloat(dtype, bytes, plain, SimdLevel::Portable);
            std::vector<float> found(bytes.size());
            std::vector<std::uint16_t> narrow(bytes.size());
            decodeScaled(dtype, bytes, scale, found, level);
            decodeScaled(dtype, bytes, scale, narrow, level);
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                REQUIRE(same(found[i], plain[i] * scale));
                REQUIRE((narrow[i] == toBfloat16(found[i]) || std::isnan(found[i])));
            }
        }
        constexpr std::array kCodes{0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                                    -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};
        for (const std::uint64_t first : {0U, 1U, 7U}) {
            for (const std::uint64_t count : {0U, 1U, 2U, 33U, 1000U}) {
                std::vector<float> found(count);
                decodeNibbles(Nibble::E2M1, bytes, first, scale, found, level);
                std::vector<float> whole(count);
                decodeNibbles(Nibble::Offset8, bytes, first, scale, whole, level);
                for (std::uint64_t i = 0; i < count; ++i) {
                    const auto byte = std::to_integer<unsigned>(bytes[(first + i) / 2]);
                    const unsigned code = (first + i) % 2 == 0 ? byte % 16 : byte / 16;
                    REQUIRE(found[i] == kCodes.at(code) * scale);
                    REQUIRE(whole[i] == static_cast<float>(static_cast<int>(code) - 8) * scale);
                }
            }
        }
    }
}

TEST_CASE("Packed tensors: scales that are powers of two", "[core][checkpoint]") {
    for (int code = 0; code < 255; ++code) {
        CHECK(powerOfTwoScale(static_cast<std::byte>(code)) == std::ldexp(1.0F, code - 127));
    }
    CHECK(std::isnan(powerOfTwoScale(std::byte{255})));
}

TEST_CASE("Packed tensors: what does not fit together is refused", "[core][checkpoint]") {
    const Quantised quantised;
    const Checkpoint checkpoint(quantised.folder);
    const auto open = [&](const TensorRef& ref) {
        return [&checkpoint, ref] { LogicalTensor(checkpoint, ref); };
    };
    checkThrows(open(tiles("partial", ".weight_scale_inv", 64, 128)), ErrorCode::BadShape,
                {"partial.weight_scale_inv", "[2, 2]", "[3, 2]"});
    checkThrows(open(tiles("partial", ".none", 128, 128)), ErrorCode::MissingTensor,
                {"partial.none"});
    TensorRef wrong = mxfp4();
    wrong.name = "whole.weight";
    checkThrows(open(wrong), ErrorCode::BadShape, {"whole.weight", "MXFP4"});
    wrong = int4();
    wrong.part = rowsOf("", {5, 65}, 0, 5).part;
    checkThrows(open(wrong), ErrorCode::BadShape, {"int4.weight_packed", "[5, 8]"});
    wrong = tiles("partial", ".expected", 128, 128);
    checkThrows(open(wrong), ErrorCode::BadShape, {"partial.expected", "F32"});
}
