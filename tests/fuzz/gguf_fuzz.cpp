// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "core/checkpoint/decode.h"
#include "core/checkpoint/gguf_model.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstdlib>
#include <vector>

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

constexpr std::uint64_t kMostDecoded = 1 << 16;

/// What readers rely on: a tensor lies in the file with the bytes of its shape, and decodes.
void check(const StoredTensor& tensor, std::span<const std::byte> file) {
    const std::uint64_t count = elementCount(tensor.shape);
    const bool right = tensor.begin <= tensor.end && tensor.end <= file.size() &&
                       count % blockElements(tensor.dtype) == 0 &&
                       tensor.end - tensor.begin == storedBytes(tensor.dtype, count);
    if (!right) {
        std::abort();
    }
    if (count <= kMostDecoded) {
        std::vector<float> values(count);
        decodeToFloat(tensor.dtype, file.subspan(tensor.begin, tensor.end - tensor.begin), values);
    }
}

void readWhole(std::span<const std::byte> file) {
    const GgufShard shard{
        .path = "fuzz.gguf", .bytes = file, .header = gguf::readFile(file, "fuzz")};
    for (const auto& tensor : shard.header.tensors) {
        if (tensor.begin > tensor.end || tensor.end > file.size()) {
            std::abort();
        }
    }
    for (const auto& tensor : translateGguf({&shard, 1}).tensors) {
        check(tensor.stored, file);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
    try {
        readWhole(file);
    } catch (const Error&) {
        // Refusing is what most inputs deserve.
    }
    try {
        (void)gguf::readFile(file, "fuzz", gguf::Data::MayBeMissing);
    } catch (const Error&) {
        // As above.
    }
    return 0;
}
