// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/parallel_ranges.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace moescope::engine {

void parallelRanges(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t first, std::int64_t end)>& body) {
    const std::int64_t most = (count + grain - 1) / std::max<std::int64_t>(grain, 1);
    const auto parts = static_cast<int>(std::min<std::int64_t>(at::get_num_threads(), most));
    if (parts < 2 || at::in_parallel_region()) {
        if (count > 0) {
            body(0, count);
        }
        return;
    }
    // The team is the one that LibTorch's own operations use: no second one waits beside it.
#pragma omp parallel for schedule(static, 1) num_threads(parts)
    for (int part = 0; part < parts; ++part) {
        body(count * part / parts, count * (part + 1) / parts);
    }
}

}  // namespace moescope::engine
