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
    std::size_t elements = 1;
};

/// In the order of the enumeration.
constexpr std::array<DtypeRow, 28> kDtypes{{
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
    {Dtype::Q8_0, "Q8_0", 34, true, 32},
    {Dtype::Q4_0, "Q4_0", 18, true, 32},
    {Dtype::Q4_1, "Q4_1", 20, true, 32},
    {Dtype::Q5_0, "Q5_0", 22, true, 32},
    {Dtype::Q5_1, "Q5_1", 24, true, 32},
    {Dtype::Q2_K, "Q2_K", 84, true, 256},
    {Dtype::Q3_K, "Q3_K", 110, true, 256},
    {Dtype::Q4_K, "Q4_K", 144, true, 256},
    {Dtype::Q5_K, "Q5_K", 176, true, 256},
    {Dtype::Q6_K, "Q6_K", 210, true, 256},
    {Dtype::IQ4_NL, "IQ4_NL", 18, true, 32},
    {Dtype::IQ4_XS, "IQ4_XS", 136, true, 256},
    {Dtype::MXFP4, "MXFP4", 17, true, 32},
}};

constexpr const DtypeRow& row(Dtype dtype) {
    return kDtypes[static_cast<std::size_t>(dtype)];
}

const DtypeRow* find(std::string_view name) {
    for (const auto& candidate : kDtypes) {
        if (candidate.name == name) {
            return &candidate;
        }
    }
    return nullptr;
}

}  // namespace

std::size_t sizeOf(Dtype dtype) noexcept {
    return row(dtype).size;
}

std::size_t blockElements(Dtype dtype) noexcept {
    return row(dtype).elements;
}

std::uint64_t storedBytes(Dtype dtype, std::uint64_t elements) noexcept {
    return elements / blockElements(dtype) * sizeOf(dtype);
}

std::string_view name(Dtype dtype) noexcept {
    return row(dtype).name;
}

std::optional<Dtype> dtypeFromName(std::string_view name) noexcept {
    const DtypeRow* found = find(name);
    return found != nullptr && found->elements == 1 ? std::optional(found->dtype) : std::nullopt;
}

std::optional<Dtype> dtypeFromGguf(std::string_view name) noexcept {
    const DtypeRow* found = find(name);
    const bool known = found != nullptr && (found->elements > 1 || name == "F64" || name == "F32" ||
                                            name == "F16" || name == "BF16");
    return known ? std::optional(found->dtype) : std::nullopt;
}

bool isFloating(Dtype dtype) noexcept {
    return row(dtype).floating;
}

}  // namespace moescope::checkpoint
