// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/stored_tensor.h"
#include "core/gguf/gguf_file.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

/// A GGUF model as the Hugging Face checkpoint of its family: metadata become the text of
/// config.json, tensors get their names there, stacked experts come apart. Nothing is copied: each
/// expert is a range of the stacked tensor.
namespace moescope::checkpoint {

struct GgufShard {
    std::filesystem::path path;
    std::span<const std::byte> bytes;
    gguf::File header;
};

struct GgufTensor {
    StoredTensor stored;
    int file = 0;  ///< index of the shard
    /// Not 0: the rows of so many heads lie in GGUF's order, see TensorView::interleavedHeads.
    std::uint32_t interleavedHeads = 0;
};

struct GgufModel {
    std::string configText;
    std::vector<GgufTensor> tensors;
};

/// `shards`: all files of one model, in their order; the first has the metadata. Throws
/// Error(UnknownFamily) for an architecture that is not known, listing those that are;
/// Error(Unsupported) for tensor types that cannot be decoded and settings that are not understood;
/// Error(BadCheckpoint).
[[nodiscard]] GgufModel translateGguf(std::span<const GgufShard> shards);

}  // namespace moescope::checkpoint
