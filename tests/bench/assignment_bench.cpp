// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/jobs/cancel_token.h"
#include "core/jobs/parallel_for.h"
#include "core/numerics/assignment.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

/// Solves assignments and prints what they took:
///   bench_assignment FILE N THREADS REPEATS   all matrices [N, N] float32 of a raw file: seconds,
///                                             seconds of the processor, summed objective
///   bench_assignment --random N               one matrix of normal numbers, with the peak memory
namespace {

using namespace moescope;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

int solveFile(const char* path, std::size_t n, unsigned threads, int repeats) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file || n == 0) {
        std::fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    std::vector<float> values(static_cast<std::size_t>(file.tellg()) / sizeof(float));
    file.seekg(0);
    file.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
    const std::size_t size = n * n;
    const std::size_t count = values.size() / size;
    std::vector<double> totals(count);
    // Small matrices are handed out in bunches worth some 0.1 ms.
    const std::size_t bunch = std::max<std::size_t>(1, 16384 / size);
    const jobs::CancelToken never;
    double best = 1e300;
    double processor = 1e300;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        const auto start = Clock::now();
        const std::clock_t used = std::clock();  // of all threads
        jobs::parallelFor((count + bunch - 1) / bunch, threads, never, [&](std::size_t b) {
            for (std::size_t at = b * bunch; at < std::min(count, (b + 1) * bunch); ++at) {
                totals[at] =
                    numerics::maximumAssignment({values.data() + at * size, size}, n).total;
            }
        });
        best = std::min(best, secondsSince(start));
        processor = std::min(processor, static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC);
    }
    double total = 0.0;
    for (const double one : totals) {
        total += one;
    }
    std::printf("%.9g %.9g %.17g\n", best, processor, total);
    return 0;
}

int solveRandom(std::size_t n) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0.0F, 0.02F);
    std::vector<float> values(n * n);
    std::generate(values.begin(), values.end(), [&] { return normal(generator); });
    const auto start = Clock::now();
    numerics::AssignmentEffort effort;
    const double total = numerics::maximumAssignment(values, n, &effort).total;
    const double seconds = secondsSince(start);
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    std::printf("%zu: %.3f s, total %.9g, %zu rounds, %.1f core entries per row%s, peak %.1f MiB\n",
                n, seconds, total, effort.rounds,
                static_cast<double>(effort.coreEntries) / static_cast<double>(n),
                effort.dense ? ", dense" : "", static_cast<double>(usage.ru_maxrss) / 1024.0);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string(argv[1]) == "--random") {
        return solveRandom(static_cast<std::size_t>(std::atoll(argv[2])));
    }
    if (argc == 5) {
        return solveFile(argv[1], static_cast<std::size_t>(std::atoll(argv[2])),
                         static_cast<unsigned>(std::atoi(argv[3])), std::atoi(argv[4]));
    }
    std::fprintf(stderr, "usage: bench_assignment FILE N THREADS REPEATS | --random N\n");
    return 2;
}
