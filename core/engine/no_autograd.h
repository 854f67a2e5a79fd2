// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/GradMode.h>

namespace moescope::engine {

/// LibTorch without the bookkeeping of derivatives, in this thread and while it lives: weights want
/// none, and its steps in between take as long as telling a device of a small operation.
struct NoAutograd {
    c10::NoGradGuard noGradients;
    at::AutoDispatchBelowADInplaceOrView below;
};

}  // namespace moescope::engine
