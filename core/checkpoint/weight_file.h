// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file_system.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/stored_tensor.h"
#include "core/gguf/gguf_file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace moescope::checkpoint {

/// How weights are stored.
enum class WeightFormat { Safetensors, Torch, Gguf };

/// A mapped file of weights with what its header says.
struct WeightFile {
    MappedFile file;
    std::vector<StoredTensor> tensors;  ///< none for GGUF, whose names must be translated first
    std::optional<gguf::File> gguf;
    /// The part that says which bytes are which tensor, [begin, end).
    std::uint64_t headerBegin = 0, headerEnd = 0;

    [[nodiscard]] std::span<const std::byte> header() const {
        return file.bytes().subspan(headerBegin, headerEnd - headerBegin);
    }
};

/// Maps a file and reads its header; no weight is touched. Throws what the format's reader throws.
[[nodiscard]] WeightFile openWeightFile(const std::filesystem::path& path, WeightFormat format,
                                        Contents contents);

}  // namespace moescope::checkpoint
