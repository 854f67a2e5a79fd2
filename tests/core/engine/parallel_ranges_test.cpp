// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/parallel_ranges.h"

#include "tests/support/torch.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace moescope;

TEST_CASE("parallelRanges: each index once, on several threads", "[core][engine]") {
    const int before = at::get_num_threads();
    for (const int threads : {1, 2, 3}) {
        at::set_num_threads(threads);
        for (const std::int64_t count : {0, 1, 9, 10, 1000}) {
            std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
            std::mutex mutex;
            std::set<std::thread::id> ids;
            engine::parallelRanges(count, 10, [&](std::int64_t first, std::int64_t end) {
                for (std::int64_t i = first; i < end; ++i) {
                    ++seen[static_cast<std::size_t>(i)];
                }
                const std::lock_guard lock(mutex);
                ids.insert(std::this_thread::get_id());
            });
            CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
            CHECK(ids.size() == (count == 1000 ? static_cast<std::size_t>(threads)
                                               : std::min<std::size_t>(ids.size(), 1)));
        }
    }
    at::set_num_threads(before);
}

TEST_CASE("parallelRanges: as many threads as it is given", "[core][engine]") {
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    std::mutex mutex;
    std::set<std::thread::id> ids;
    engine::parallelRanges(1000, 10, 3, [&](std::int64_t, std::int64_t) {
        const std::lock_guard lock(mutex);
        ids.insert(std::this_thread::get_id());
    });
    CHECK(ids.size() == 3);
    at::set_num_threads(before);
}

TEST_CASE("parallelRanges: what a part throws is thrown when all have ended", "[core][engine]") {
    for (const int threads : {1, 3}) {
        CAPTURE(threads);
        std::atomic<std::int64_t> done{0};
        const auto body = [&](std::int64_t first, std::int64_t end) {
            if (end == 900) {
                throw std::runtime_error("the last part");
            }
            done += end - first;
        };
        CHECK_THROWS_WITH(engine::parallelRanges(900, 10, threads, body), "the last part");
        CHECK(done == (threads == 1 ? 0 : 600));
        engine::parallelRanges(300, 10, threads, body);  // and it goes on
        CHECK(done == (threads == 1 ? 300 : 900));
    }
}
