// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/cancel_token.h"

#include "core/base/error.h"

namespace moescope::jobs {

void CancelToken::throwIfCancelled() const {
    if (isCancelled()) {
        throw Error(ErrorCode::Cancelled, "Stopped on request; finished work is kept.");
    }
}

}  // namespace moescope::jobs
