// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace moescope::checkpoint {

/// Element types a checkpoint may store (safetensors' names), and GGUF's types whose elements are
/// quantised in blocks (GGUF's names).
enum class Dtype {
    F64,
    F32,
    F16,
    BF16,
    F8_E4M3,
    F8_E5M2,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
    MXFP4
};

/// Elements that can only be decoded together: 1, or 32 or 256 for quantised types. Rows of a
/// tensor hold a whole number of blocks.
[[nodiscard]] std::size_t blockElements(Dtype dtype) noexcept;
/// Bytes of a block: of one element, for types that are not quantised in blocks.
[[nodiscard]] std::size_t sizeOf(Dtype dtype) noexcept;
/// Bytes of so many elements, a whole number of blocks.
[[nodiscard]] std::uint64_t storedBytes(Dtype dtype, std::uint64_t elements) noexcept;
[[nodiscard]] std::string_view name(Dtype dtype) noexcept;  ///< "BF16"
/// Safetensors' types only.
[[nodiscard]] std::optional<Dtype> dtypeFromName(std::string_view name) noexcept;
/// GGUF's types that can be decoded ("F32", "Q4_K"); a whole number type is none of weights.
[[nodiscard]] std::optional<Dtype> dtypeFromGguf(std::string_view name) noexcept;
[[nodiscard]] bool isFloating(Dtype dtype) noexcept;  ///< stands for real numbers

}  // namespace moescope::checkpoint
