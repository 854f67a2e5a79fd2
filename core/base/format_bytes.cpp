// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/format_bytes.h"

#include <fmt/format.h>

#include <array>

namespace moescope {

std::string formatBytes(std::uint64_t bytes) {
    constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        return fmt::format("{} B", bytes);
    }
    constexpr double kRoundsToNext = 1023.95;
    double value = static_cast<double>(bytes) / 1024.0;
    std::size_t unit = 0;
    for (; value >= kRoundsToNext && unit + 1 < kUnits.size(); ++unit) {
        value /= 1024.0;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace moescope
