// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/to_array.h"

#include "core/base/error.h"

#include <ATen/ATen.h>

#include <cstring>

namespace moescope::engine {
namespace {

ElementType elementType(at::ScalarType type) {
    switch (type) {
        case at::kFloat:
            return ElementType::F32;
        case at::kDouble:
            return ElementType::F64;
        case at::kInt:
            return ElementType::I32;
        case at::kLong:
            return ElementType::I64;
        case at::kByte:
            return ElementType::U8;
        default:
            throw Error(ErrorCode::Internal, "toArray: a tensor type that sessions do not know");
    }
}

}  // namespace

NdArray toArray(const at::Tensor& tensor) {
    at::Tensor plain = tensor.detach().cpu();
    if (plain.scalar_type() == at::kBFloat16 || plain.scalar_type() == at::kHalf) {
        plain = plain.to(at::kFloat);
    }
    plain = plain.contiguous();
    NdArray result(elementType(plain.scalar_type()),
                   Shape(plain.sizes().begin(), plain.sizes().end()));
    std::memcpy(result.bytes().data(), plain.data_ptr(), result.bytes().size());
    return result;
}

}  // namespace moescope::engine
