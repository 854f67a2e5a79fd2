// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moescope::checkpoint {

/// The GGUF models in a folder, sorted, each by its first file; projectors of multimodal models
/// (mmproj-*.gguf) are none.
[[nodiscard]] std::vector<std::filesystem::path> ggufModels(const std::filesystem::path& folder);

/// All files of the model that `file` is a part of, in order: itself, or NAME-00001-of-00003.gguf
/// and so on. Throws Error(FileNotFound) naming the missing part.
[[nodiscard]] std::vector<std::filesystem::path> ggufParts(const std::filesystem::path& file);

/// The file's name without part and ending.
[[nodiscard]] std::string ggufModelName(const std::filesystem::path& file);

}  // namespace moescope::checkpoint
