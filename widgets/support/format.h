// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <cstdint>

namespace moescope::widgets {

/// Numbers as people read them; C locale for decimals, thin spaces between thousands.
[[nodiscard]] QString formatCount(std::uint64_t count);           ///< "46 702 792 704"
[[nodiscard]] QString formatShortCount(double count);             ///< "46.7 B", "12.9 M", "980"
[[nodiscard]] QString formatBytes(double bytes);                  ///< "93.4 GB" (powers of 1000)
[[nodiscard]] QString formatValue(double value, int digits = 4);  ///< "0.8731", "not available"
/// "0.10", "-0.25": as many decimals as asked for, with a true minus sign.
[[nodiscard]] QString signedNumber(double value, int decimals);
[[nodiscard]] QString formatPercent(double share);     ///< "14.9 %"
[[nodiscard]] QString formatDuration(double seconds);  ///< "1 min 20 s", "under a second"

}  // namespace moescope::widgets
