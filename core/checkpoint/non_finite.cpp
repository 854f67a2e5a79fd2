// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/non_finite.h"

#include "core/checkpoint/decode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace moescope::checkpoint {
namespace {

/// Elements whose exponent, or whatever the mask covers, has all bits set. Counted in numbers as
/// wide as the elements: the loop then is vectors of them, as fast as memory.
template <typename Word>
std::uint64_t countMasked(std::span<const std::byte> bytes, Word mask) {
    constexpr std::size_t kMost = std::size_t{1} << 15U;
    constexpr std::size_t kAtOnce = std::min<std::size_t>(kMost, std::numeric_limits<Word>::max());
    std::uint64_t count = 0;
    const std::size_t words = bytes.size() / sizeof(Word);
    for (std::size_t first = 0; first < words; first += kAtOnce) {
        const std::byte* const from = bytes.data() + first * sizeof(Word);
        const std::size_t some = std::min(kAtOnce, words - first);
        Word found = 0;
        for (std::size_t i = 0; i < some; ++i) {
            Word word;
            std::memcpy(&word, from + i * sizeof(Word), sizeof(Word));
            found = static_cast<Word>(found + static_cast<Word>((word & mask) == mask));
        }
        count += found;
    }
    return count;
}

/// Values of types stored in blocks cannot be looked at without decoding them.
std::uint64_t countInBlocks(Dtype dtype, std::span<const std::byte> bytes) {
    constexpr std::size_t kLongestBlock = 256;  // values
    std::uint64_t count = 0;
    std::array<float, kLongestBlock> values;
    const auto block = std::span(values).first(blockElements(dtype));
    for (std::size_t at = 0; at < bytes.size(); at += sizeOf(dtype)) {
        decodeToFloat(dtype, bytes.subspan(at, sizeOf(dtype)), block);
        count += static_cast<std::uint64_t>(std::count_if(
            block.begin(), block.end(), [](float value) { return !std::isfinite(value); }));
    }
    return count;
}

}  // namespace

std::uint64_t countNonFinite(Dtype dtype, std::span<const std::byte> bytes) {
    switch (dtype) {
        case Dtype::F64:
            return countMasked<std::uint64_t>(bytes, 0x7FF0000000000000U);
        case Dtype::F32:
            return countMasked<std::uint32_t>(bytes, 0x7F800000U);
        case Dtype::F16:
            return countMasked<std::uint16_t>(bytes, 0x7C00U);
        case Dtype::BF16:
            return countMasked<std::uint16_t>(bytes, 0x7F80U);
        case Dtype::F8_E4M3:  // without infinities: only all bits set is NaN
            return countMasked<std::uint8_t>(bytes, 0x7FU);
        case Dtype::F8_E5M2:
            return countMasked<std::uint8_t>(bytes, 0x7CU);
        default:
            return blockElements(dtype) > 1 ? countInBlocks(dtype, bytes) : 0;
    }
}

}  // namespace moescope::checkpoint
