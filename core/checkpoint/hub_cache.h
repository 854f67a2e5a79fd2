// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The Hugging Face hub's cache: models--ORG--NAME/{refs/main, snapshots/HASH/..., blobs/...},
/// where the files of a snapshot are links into blobs.
namespace moescope::checkpoint {

[[nodiscard]] bool isHubFolder(const std::filesystem::path& folder);

/// The snapshot that refs/main names, or the only one there is. Throws Error(BadCheckpoint) when
/// refs/main names one that is not there, or when several are there and nothing chooses.
[[nodiscard]] std::filesystem::path hubSnapshot(const std::filesystem::path& hubFolder);

/// "ORG/NAME" for a snapshot folder, nothing for any other folder.
[[nodiscard]] std::optional<std::string> hubModelName(const std::filesystem::path& snapshot);

/// The folders directly in `folder`, sorted; empty when it cannot be read.
[[nodiscard]] std::vector<std::filesystem::path> subfolders(const std::filesystem::path& folder);

}  // namespace moescope::checkpoint
