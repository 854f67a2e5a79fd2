// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdlib>
#include <filesystem>

namespace moescope::tests {

/// The source tree; CTest sets MOESCOPE_SOURCE_DIR, by hand the working directory must be the tree.
inline std::filesystem::path sourceDir() {
    const char* dir = std::getenv("MOESCOPE_SOURCE_DIR");
    return dir != nullptr ? std::filesystem::path(dir) : std::filesystem::current_path();
}

/// The built programs.
inline std::filesystem::path binDir() {
    const char* dir = std::getenv("MOESCOPE_BIN_DIR");
    return dir != nullptr ? std::filesystem::path(dir) : sourceDir() / "build/dev/bin";
}

/// Reference checkpoints and golden values (tests/data/reference).
inline std::filesystem::path referenceDir() {
    return sourceDir() / "tests/data/reference";
}

/// Real tokenizers and texts kept beside the repository; tests that use them skip when absent.
inline std::filesystem::path sharedDataDir() {
    return sourceDir().parent_path() / "shared/data";
}

}  // namespace moescope::tests
