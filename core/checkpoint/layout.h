// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/weight_file.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace moescope::checkpoint {

/// Which files make up a checkpoint, before any of them is opened.
struct CheckpointLayout {
    std::filesystem::path folder;
    std::string displayName;
    WeightFormat format = WeightFormat::Safetensors;
    std::vector<std::filesystem::path> shards;  ///< sorted by name, every one exists
    /// Tensor name -> shard file name, from the index json; empty without an index.
    std::map<std::string, std::string> index;
};

/// Finds the checkpoint that `path` means: a folder, a file in it, a hub cache folder
/// (models--org--name, its refs/main choosing the snapshot). Throws Error(FileNotFound |
/// BadCheckpoint | Unsupported) with what is missing or in the way.
[[nodiscard]] CheckpointLayout resolveLayout(const std::filesystem::path& path);

}  // namespace moescope::checkpoint
