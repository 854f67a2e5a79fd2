// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/decode.h"

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/checkpoint/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/paths.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

/// A float of any width from its fields, as the formats define it (the slow twin).
double fromFields(std::uint32_t bits, int exponentBits, int mantissaBits, bool hasInfinity) {
    const int bias = (1 << (exponentBits - 1)) - 1;
    const double sign = ((bits >> (exponentBits + mantissaBits)) & 1U) != 0 ? -1.0 : 1.0;
    const int exponent = static_cast<int>(bits >> mantissaBits) & ((1 << exponentBits) - 1);
    const int mantissa = static_cast<int>(bits) & ((1 << mantissaBits) - 1);
    const bool top = exponent == (1 << exponentBits) - 1;
    if (top && hasInfinity) {
        return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
    }
    if (top && mantissa == (1 << mantissaBits) - 1) {
        return std::nan("");
    }
    if (exponent == 0) {
        return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
    }
    return sign * std::ldexp(mantissa + (1 << mantissaBits), exponent - bias - mantissaBits);
}

template <typename T>
double nativeTwin(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return static_cast<double>(static_cast<float>(value));
}

double twin(Dtype dtype, const std::byte* from) {
    std::uint16_t half = 0;
    const auto byte = std::to_integer<std::uint8_t>(*from);
    if (sizeOf(dtype) == 2) {
        std::memcpy(&half, from, 2);
    }
    switch (dtype) {
        case Dtype::F64:
            return nativeTwin<double>(from);
        case Dtype::F32:
            return nativeTwin<float>(from);
        case Dtype::F16:
            return fromFields(half, 5, 10, true);
        case Dtype::BF16:
            return fromFields(half, 8, 7, true);
        case Dtype::F8_E4M3:
            return fromFields(byte, 4, 3, false);
        case Dtype::F8_E5M2:
            return fromFields(byte, 5, 2, true);
        case Dtype::I64:
            return nativeTwin<std::int64_t>(from);
        case Dtype::I32:
            return nativeTwin<std::int32_t>(from);
        case Dtype::I16:
            return nativeTwin<std::int16_t>(from);
        case Dtype::I8:
            return nativeTwin<std::int8_t>(from);
        case Dtype::U64:
            return nativeTwin<std::uint64_t>(from);
        case Dtype::U32:
            return nativeTwin<std::uint32_t>(from);
        case Dtype::U16:
            return nativeTwin<std::uint16_t>(from);
        case Dtype::U8:
            return nativeTwin<std::uint8_t>(from);
        case Dtype::Bool:
            return byte != 0 ? 1.0 : 0.0;
        default:
            break;  // blocks have no single elements
    }
    return 0.0;
}

bool same(double expected, float found) {
    return std::isnan(expected) ? std::isnan(found)
                                : std::bit_cast<std::uint32_t>(static_cast<float>(expected)) ==
                                      std::bit_cast<std::uint32_t>(found);
}

std::vector<std::byte> randomBytes(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::byte> bytes(count);
    for (auto& byte : bytes) {
        byte = static_cast<std::byte>(random() & 0xFFU);
    }
    return bytes;
}

const std::vector<Dtype> kAll{Dtype::F64,     Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F8_E4M3,
                              Dtype::F8_E5M2, Dtype::I64, Dtype::I32, Dtype::I16,  Dtype::I8,
                              Dtype::U64,     Dtype::U32, Dtype::U16, Dtype::U8,   Dtype::Bool};
const std::vector<SimdLevel> kLevels{SimdLevel::Portable, SimdLevel::Avx2, SimdLevel::Avx512};

}  // namespace

TEST_CASE("Decode: every dtype, size, misalignment and level equals the slow twin",
          "[core][checkpoint]") {
    for (const auto dtype : kAll) {
        for (const std::size_t count : {0U, 1U, 7U, 16U, 31U, 64U, 131U, 1000U}) {
            for (const std::size_t shift : {0U, 1U, 3U}) {
                const auto bytes = randomBytes(count * sizeOf(dtype) + shift,
                                               static_cast<std::uint32_t>(count * 7 + shift));
                const std::span<const std::byte> from(bytes.data() + shift, count * sizeOf(dtype));
                for (const auto level : kLevels) {
                    std::vector<float> found(count, -1.0F);
                    decodeToFloat(dtype, from, found, level);
                    std::size_t wrong = 0;
                    for (std::size_t i = 0; i < count; ++i) {
                        wrong += same(twin(dtype, &from[i * sizeOf(dtype)]), found[i]) ? 0U : 1U;
                    }
                    INFO(name(dtype) << " count " << count << " shift " << shift << " level "
                                     << static_cast<int>(level));
                    CHECK(wrong == 0);
                }
            }
        }
    }
}

TEST_CASE("Decode: all 65536 halves and all 256 bytes", "[core][checkpoint]") {
    std::vector<std::byte> halves(std::size_t{65536} * 2);
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto half = static_cast<std::uint16_t>(i);
        std::memcpy(&halves[i * 2], &half, 2);
    }
    std::vector<std::byte> bytes(256);
    for (std::size_t i = 0; i < 256; ++i) {
        bytes[i] = static_cast<std::byte>(i);
    }
    for (const auto dtype : {Dtype::F16, Dtype::BF16, Dtype::F8_E4M3, Dtype::F8_E5M2}) {
        const auto& from = sizeOf(dtype) == 2 ? halves : bytes;
        for (const auto level : kLevels) {
            std::vector<float> found(from.size() / sizeOf(dtype));
            decodeToFloat(dtype, from, found, level);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                wrong += same(twin(dtype, &from[i * sizeOf(dtype)]), found[i]) ? 0U : 1U;
            }
            INFO(name(dtype) << " level " << static_cast<int>(level));
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("Decode: bfloat16 rounds to nearest even and keeps NaN", "[core][checkpoint]") {
    CHECK(toBfloat16(1.0F) == 0x3F80);
    CHECK(toBfloat16(std::bit_cast<float>(0x3F808000U)) == 0x3F80);  // tie: down to even
    CHECK(toBfloat16(std::bit_cast<float>(0x3F818000U)) == 0x3F82);  // tie: up to even
    CHECK(toBfloat16(std::bit_cast<float>(0x3F808001U)) == 0x3F81);
    CHECK(toBfloat16(std::numeric_limits<float>::max()) == 0x7F80);
    CHECK(toBfloat16(-std::numeric_limits<float>::infinity()) == 0xFF80);
    CHECK((toBfloat16(std::bit_cast<float>(0x7F800001U)) & 0x7FFFU) > 0x7F80U);

    const auto bytes = randomBytes(4 * 1003, 5);
    for (const auto level : kLevels) {
        std::vector<std::uint16_t> found(1003);
        decodeToBfloat16(Dtype::F32, bytes, found, level);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            float value = 0;
            std::memcpy(&value, &bytes[i * 4], 4);
            wrong += found[i] == toBfloat16(value) ? 0U : 1U;
        }
        CHECK(wrong == 0);
    }
    std::vector<std::uint16_t> copied(2006);
    decodeToBfloat16(Dtype::BF16, bytes, copied);
    CHECK(std::memcmp(copied.data(), bytes.data(), bytes.size()) == 0);
}

TEST_CASE("Decode: blocks of GGUF's types equal the gguf package's values", "[core][checkpoint]") {
    const MappedFile file(tests::referenceDir() / "storage/gguf_blocks.safetensors");
    const auto header = readSafetensorsHeader(file.bytes(), "gguf_blocks");
    const auto bytesOf = [&](const std::string& name) {
        const auto found = std::find_if(header.entries.begin(), header.entries.end(),
                                        [&](const auto& entry) { return entry.name == name; });
        REQUIRE(found != header.entries.end());
        return file.bytes().subspan(found->begin, found->end - found->begin);
    };
    std::size_t types = 0;
    for (const auto dtype :
         {Dtype::Q8_0, Dtype::Q4_0, Dtype::Q4_1, Dtype::Q5_0, Dtype::Q5_1, Dtype::Q2_K, Dtype::Q3_K,
          Dtype::Q4_K, Dtype::Q5_K, Dtype::Q6_K, Dtype::IQ4_NL, Dtype::IQ4_XS, Dtype::MXFP4}) {
        const std::string type(name(dtype));
        const auto blocks = bytesOf(type + ".blocks");
        const auto golden = bytesOf(type + ".expected");
        std::vector<float> expected(golden.size() / sizeof(float));
        std::memcpy(expected.data(), golden.data(), golden.size());
        REQUIRE(blocks.size() == storedBytes(dtype, expected.size()));
        CHECK(dtypeFromGguf(type) == dtype);
        CHECK_FALSE(dtypeFromName(type).has_value());
        for (const auto level : kLevels) {
            INFO(type << " level " << static_cast<int>(level));
            std::vector<float> found(expected.size());
            decodeToFloat(dtype, blocks, found, level);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                wrong += found[i] == expected[i] ? 0U : 1U;
            }
            CHECK(wrong == 0);
            // Blocks decode alone: the second one, from an odd address.
            const std::size_t size = blockElements(dtype);
            std::vector<std::byte> shifted(1 + sizeOf(dtype));
            std::copy_n(blocks.begin() + static_cast<std::ptrdiff_t>(sizeOf(dtype)), sizeOf(dtype),
                        shifted.begin() + 1);
            std::vector<std::uint16_t> halves(size);
            decodeToBfloat16(dtype, std::span(shifted).subspan(1), halves, level);
            wrong = 0;
            for (std::size_t i = 0; i < size; ++i) {
                wrong += halves[i] == toBfloat16(expected[size + i]) ? 0U : 1U;
            }
            CHECK(wrong == 0);
            CHECK_THROWS_AS(decodeToFloat(dtype, blocks, std::span(found).first(size / 2), level),
                            Error);
        }
        ++types;
    }
    CHECK(types * 2 == header.entries.size());
}

TEST_CASE("Decode: sizes that do not match are refused", "[core][checkpoint]") {
    const std::vector<std::byte> bytes(6);
    std::vector<float> floats(2);
    CHECK_THROWS_AS(decodeToFloat(Dtype::F32, bytes, floats), Error);
    CHECK_THROWS_AS(decodeToFloat(Dtype::BF16, bytes, floats), Error);
    std::vector<std::uint16_t> halves(2);
    CHECK_THROWS_AS(decodeToBfloat16(Dtype::I8, bytes, halves), Error);
}

TEST_CASE("Dtype: names and back", "[core][checkpoint]") {
    for (const auto dtype : kAll) {
        CHECK(dtypeFromName(name(dtype)) == dtype);
    }
    CHECK_FALSE(dtypeFromName("F12").has_value());
    CHECK(isFloating(Dtype::F8_E4M3));
    CHECK_FALSE(isFloating(Dtype::I8));
}
