// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/gguf/metadata.h"
#include "core/gguf/tensor_types.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The GGUF container of llama.cpp, versions 2 and 3, little-endian: magic, counts, typed metadata,
/// tensor infos, and aligned tensor data. Source: ggml's docs/gguf.md.
namespace moescope::gguf {

struct TensorInfo {
    std::string_view name;  ///< a view of the file
    Shape shape;            ///< in C order: GGUF lists the fastest dimension first
    const TensorType* type = nullptr;
    std::uint64_t begin = 0;  ///< from the start of the file
    std::uint64_t end = 0;
};

/// How much of the data must be in the file.
enum class Data { Complete, MayBeMissing };

struct File {
    Metadata metadata;
    std::vector<TensorInfo> tensors;  ///< in the file's order
    std::uint64_t headerBytes = 0;    ///< everything before the tensor data
};

/// Reads and checks the header of a file's bytes, which must outlive the result; `where` names the
/// file in messages. All of it is untrusted; memory stays in proportion to the header. Throws
/// Error(BadCheckpoint) naming file and tensor, Error(Unsupported) for version 1, big-endian files
/// and tensor types of unknown size.
[[nodiscard]] File readFile(std::span<const std::byte> file, std::string_view where,
                            Data data = Data::Complete);

/// Whether a file begins as GGUF does.
[[nodiscard]] bool isGguf(std::span<const std::byte> file) noexcept;

}  // namespace moescope::gguf
