// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/checkpoint/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstdlib>

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

/// What readers rely on: every tensor lies in the file, in order, with the bytes of its shape.
void checkHeader(const SafetensorsHeader& header, std::uint64_t fileSize) {
    std::uint64_t next = header.bytes;
    for (const auto& entry : header.entries) {
        const bool right =
            entry.begin == next && entry.end >= entry.begin &&
            entry.end - entry.begin == elementCount(entry.shape) * sizeOf(entry.dtype);
        if (!right || entry.end > fileSize) {
            std::abort();
        }
        next = entry.end;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
    try {
        checkHeader(readSafetensorsHeader(file, "fuzz", Contents::Complete), size);
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    try {
        checkHeader(readSafetensorsHeader(file, "fuzz", Contents::HeadersOnly), ~std::uint64_t{0});
    } catch (const Error&) {
        // As above.
    }
    return 0;
}
