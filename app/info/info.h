// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/info_options.h"

#include <filesystem>
#include <string>

/// `info` of both programs, without Qt and LibTorch.
namespace moescope::info {

/// What lies at `path`: a session (finished or in progress), a checkpoint, or a folder of
/// checkpoints, which lists them. Reads no weights and no results. Throws what opening throws:
/// Error(FileNotFound | FileUnreadable | BadCheckpoint | BadSession | SessionTooNew ...).
/// `datasets`: as text, a session's are listed one by one.
[[nodiscard]] std::string infoText(const std::filesystem::path& path, bool json,
                                   bool datasets = false);

/// The same as the command line asks for it; or the list of experiments.
[[nodiscard]] std::string infoText(const cli::InfoOptions& options);

}  // namespace moescope::info
