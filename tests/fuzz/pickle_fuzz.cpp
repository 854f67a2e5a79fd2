// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/checkpoint/pickle.h"
#include "core/checkpoint/torch_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstdlib>

using namespace moescope;
using namespace moescope::checkpoint;

/// The input as a whole file and as a bare pickle.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
    try {
        for (const auto& tensor : readTorchFile(file, "fuzz").tensors) {
            // What readers rely on.
            const bool right =
                tensor.begin <= tensor.end && tensor.end <= size &&
                tensor.end - tensor.begin == elementCount(tensor.shape) * sizeOf(tensor.dtype);
            if (!right) {
                std::abort();
            }
        }
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    try {
        (void)readStateDict(file, "fuzz");
    } catch (const Error&) {
        // As above.
    }
    return 0;
}
