// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/h5_handle.h"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace moescope::session::h5 {

/// Writes a complete session-format file under its final name: `fill` puts content into a fresh
/// file with the root attributes set. Readers see the old file or the new one, never a part. Small
/// files are built in memory and written by plain system calls, so that a full disk is reported
/// exactly; large ones go to a temporary file beside the target. Throws Error(FileUnwritable |
/// DiskFull).
void writeFile(const std::filesystem::path& path, std::uint64_t expectedBytes,
               const std::function<void(hid_t file)>& fill);

/// Opens for reading and checks that it is ours and of a version we know.
/// Throws Error(FileNotFound | FileUnreadable | BadSession | SessionTooNew).
[[nodiscard]] File openFile(const std::filesystem::path& path);

/// "1.0"
[[nodiscard]] std::string formatVersion(hid_t file);

}  // namespace moescope::session::h5
