// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checkpoint/stored_tensor.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

namespace moescope::checkpoint {

void throwDamaged(std::string_view where, std::string_view problem) {
    throw Error(ErrorCode::BadCheckpoint,
                fmt::format("{}: {}. The file is damaged or incomplete; download it again.", where,
                            problem));
}

std::uint64_t neededBytes(const StoredTensor& tensor, std::string_view where) {
    try {
        const std::uint64_t count = elementCount(tensor.shape);
        if (count <= std::numeric_limits<std::uint64_t>::max() / sizeOf(tensor.dtype)) {
            return storedBytes(tensor.dtype, count);
        }
    } catch (const Error&) {
        // Said below, with file and tensor.
    }
    throwDamaged(where, fmt::format("tensor \"{}\" claims the shape [{}], larger than any file",
                                    tensor.name, fmt::join(tensor.shape, ", ")));
}

}  // namespace moescope::checkpoint
