// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/stored_tensor.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The safetensors format: 8 bytes little-endian header length N, N bytes of JSON
/// {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {string: string}}, then the
/// data, to which the offsets are relative. As the reference implementation does, we want the data
/// covered by the tensors without overlap and without holes.
namespace moescope::checkpoint {

/// How much of a file or checkpoint must be there.
enum class Contents {
    Complete,     ///< headers and all tensor data
    HeadersOnly,  ///< headers; tensor data may be missing (model cards of header-only files)
};

struct SafetensorsHeader {
    std::uint64_t bytes = 0;              ///< of length field and header together
    std::vector<StoredTensor> entries{};  ///< by position in the file
};

/// Reads and checks the header of a file's bytes; `where` names the file in messages. Everything in
/// the header is untrusted: lengths, offsets, shapes and names are checked before they are used,
/// and memory stays in proportion to the header that is really there. Throws Error(BadCheckpoint)
/// naming file and tensor, Error(Unsupported) for a dtype that we do not know.
[[nodiscard]] SafetensorsHeader readSafetensorsHeader(std::span<const std::byte> file,
                                                      std::string_view where,
                                                      Contents contents = Contents::Complete);

}  // namespace moescope::checkpoint
