// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/figures/whole_number.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moescope::figures {

std::uint64_t wholeNumberAt(const NdArray& array, std::uint64_t index, std::string_view where,
                            std::uint64_t most) {
    const double value = array.at(index);
    // NaN fails every comparison.
    if (!(value >= 0.0 && value <= static_cast<double>(std::min(most, kMostWhole)) &&
          std::trunc(value) == value)) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("{} has {} at place {}, where a whole number from 0 to {} was "
                                "expected; the session is damaged.",
                                where, value, index, most));
    }
    return static_cast<std::uint64_t>(value);
}

}  // namespace moescope::figures
