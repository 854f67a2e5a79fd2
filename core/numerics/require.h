// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdexcept>

namespace moescope::numerics {

/// A broken precondition is a mistake in the calling code.
inline void require(bool holds, const char* what) {
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

}  // namespace moescope::numerics
