// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/checkpoint/dtype.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// A tensor as the header of a weight file places it, in C order.
struct StoredTensor {
    std::string name{};
    Dtype dtype = Dtype::F32;
    Shape shape{};
    std::uint64_t begin = 0;  ///< from the start of the file
    std::uint64_t end = 0;
};

/// "Not damaged" is the reader's word: throws Error(BadCheckpoint) "WHERE: PROBLEM. The file is
/// damaged or incomplete; download it again."
[[noreturn]] void throwDamaged(std::string_view where, std::string_view problem);

/// Bytes that the tensor's shape and type ask for. Throws Error(BadCheckpoint) naming file and
/// tensor where that is more than any file holds.
[[nodiscard]] std::uint64_t neededBytes(const StoredTensor& tensor, std::string_view where);

}  // namespace moescope::checkpoint
