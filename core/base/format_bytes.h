// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace moescope {

/// "17 B", "1.5 KiB", "3.2 GiB": powers of 1024, never "1024.0 KiB".
[[nodiscard]] std::string formatBytes(std::uint64_t bytes);

}  // namespace moescope
