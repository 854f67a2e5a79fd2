// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>

namespace moescope::engine {

/// Calls body(first, end) for parts of [0, count) of at least `grain` indices, on as many of
/// LibTorch's threads as this thread's operations take; in one piece within such an operation.
/// at::parallel_for() is a template that knows of no threads unless its caller is compiled with
/// OpenMP. What `body` throws first is thrown here, when all parts have ended.
void parallelRanges(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t first, std::int64_t end)>& body);
/// The same on up to `threads` threads, however many LibTorch has.
void parallelRanges(std::int64_t count, std::int64_t grain, int threads,
                    const std::function<void(std::int64_t first, std::int64_t end)>& body);

}  // namespace moescope::engine
