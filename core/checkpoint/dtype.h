// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace moescope::checkpoint {

/// Element types a checkpoint may store (safetensors' names).
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
    Bool
};

[[nodiscard]] std::size_t sizeOf(Dtype dtype) noexcept;
[[nodiscard]] std::string_view name(Dtype dtype) noexcept;  ///< "BF16"
[[nodiscard]] std::optional<Dtype> dtypeFromName(std::string_view name) noexcept;
[[nodiscard]] bool isFloating(Dtype dtype) noexcept;

}  // namespace moescope::checkpoint
