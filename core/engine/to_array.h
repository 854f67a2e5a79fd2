// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"

namespace at {
class Tensor;
}

namespace moescope::engine {

/// A tensor of any device as an array of the session: bfloat16 and float16 become float32.
/// float32, float64, int32, int64 and uint8 stay. Throws Error(Internal) for other types.
[[nodiscard]] NdArray toArray(const at::Tensor& tensor);

}  // namespace moescope::engine
