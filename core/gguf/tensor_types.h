// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace moescope::gguf {

/// A type of tensor elements (ggml.h, ggml_type): `blockElements` of them take `blockBytes`.
struct TensorType {
    std::uint32_t id = 0;
    std::string_view name;
    std::uint64_t blockElements = 1;
    std::uint64_t blockBytes = 0;
};

/// Null for a number that no type has, or whose size we do not know.
[[nodiscard]] const TensorType* tensorType(std::uint32_t id) noexcept;

}  // namespace moescope::gguf
