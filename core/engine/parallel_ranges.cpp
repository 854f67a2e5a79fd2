// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/parallel_ranges.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <exception>
#include <mutex>

namespace moescope::engine {
namespace {

/// Nothing may leave an OpenMP region: the first exception waits for its end.
class FirstFailure {
public:
    template <typename Work>
    void guard(const Work& work) noexcept {
        try {
            work();
        } catch (...) {
            const std::lock_guard lock(m_mutex);
            m_failure = m_failure ? m_failure : std::current_exception();
        }
    }
    void rethrow() const {
        if (m_failure) {
            std::rethrow_exception(m_failure);
        }
    }

private:
    std::mutex m_mutex;
    std::exception_ptr m_failure;
};

}  // namespace

void parallelRanges(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t first, std::int64_t end)>& body) {
    parallelRanges(count, grain, at::get_num_threads(), body);
}

void parallelRanges(std::int64_t count, std::int64_t grain, int threads,
                    const std::function<void(std::int64_t first, std::int64_t end)>& body) {
    const std::int64_t most = (count + grain - 1) / std::max<std::int64_t>(grain, 1);
    const auto parts = static_cast<int>(std::min<std::int64_t>(threads, most));
    if (parts < 2 || at::in_parallel_region()) {
        if (count > 0) {
            body(0, count);
        }
        return;
    }
    FirstFailure failure;
    // The team is the one that LibTorch's own operations use: no second one waits beside it.
#pragma omp parallel for schedule(static, 1) num_threads(parts)
    for (int part = 0; part < parts; ++part) {
        failure.guard([&] { body(count * part / parts, count * (part + 1) / parts); });
    }
    failure.rethrow();
}

}  // namespace moescope::engine
