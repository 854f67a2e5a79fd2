// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/dtype.h"

#include <array>

namespace moescope::checkpoint {
namespace {

struct DtypeRow {
    Dtype dtype;
    std::string_view name;
    std::size_t size;
    bool floating;
};

/// In the order of the enumeration.
constexpr std::array<DtypeRow, 15> kDtypes{{
    {Dtype::F64, "F64", 8, true},
    {Dtype::F32, "F32", 4, true},
    {Dtype::F16, "F16", 2, true},
    {Dtype::BF16, "BF16", 2, true},
    {Dtype::F8_E4M3, "F8_E4M3", 1, true},
    {Dtype::F8_E5M2, "F8_E5M2", 1, true},
    {Dtype::I64, "I64", 8, false},
    {Dtype::I32, "I32", 4, false},
    {Dtype::I16, "I16", 2, false},
    {Dtype::I8, "I8", 1, false},
    {Dtype::U64, "U64", 8, false},
    {Dtype::U32, "U32", 4, false},
    {Dtype::U16, "U16", 2, false},
    {Dtype::U8, "U8", 1, false},
    {Dtype::Bool, "BOOL", 1, false},
}};

constexpr const DtypeRow& row(Dtype dtype) {
    return kDtypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::size_t sizeOf(Dtype dtype) noexcept {
    return row(dtype).size;
}

std::string_view name(Dtype dtype) noexcept {
    return row(dtype).name;
}

std::optional<Dtype> dtypeFromName(std::string_view name) noexcept {
    for (const auto& candidate : kDtypes) {
        if (candidate.name == name) {
            return candidate.dtype;
        }
    }
    return std::nullopt;
}

bool isFloating(Dtype dtype) noexcept {
    return row(dtype).floating;
}

}  // namespace moescope::checkpoint
