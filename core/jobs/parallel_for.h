// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/jobs/cancel_token.h"

#include <cstddef>
#include <functional>

namespace moescope::jobs {

/// Calls `body(i)` for each i in [0, count) on up to `threads` threads (the caller's among them);
/// indices are handed out in order, one at a time, so one should be worth at least 0.1 ms. The
/// first exception stops the rest and is thrown here; a cancelled token throws Error(Cancelled).
void parallelFor(std::size_t count, unsigned threads, const CancelToken& cancel,
                 const std::function<void(std::size_t)>& body);

/// Threads that loops of our own take, here meant for parallelFor(): one until it is set. They are
/// apart from LibTorch's, whose operations on small tensors lose by a second thread. Thread-safe.
[[nodiscard]] unsigned loopThreads() noexcept;
void setLoopThreads(unsigned threads) noexcept;

/// Threads that this process may use (CPU affinity included), at least 1.
[[nodiscard]] unsigned availableThreads() noexcept;

}  // namespace moescope::jobs
