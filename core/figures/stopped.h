// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <stop_token>

namespace moescope::figures {

/// Throws Error(Cancelled) when a figure is not wanted any more. Private to the builders.
inline void throwIfStopped(const std::stop_token& stop) {
    if (stop.stop_requested()) {
        throw Error(ErrorCode::Cancelled, "The figure is not wanted any more.");
    }
}

}  // namespace moescope::figures
