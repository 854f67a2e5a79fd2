// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/machine.h"

#include <ATen/ATen.h>

#include <fcntl.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace moescope::engine {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// "Name:   123 kB" of a /proc file, in bytes; 0 when it is not there.
std::uint64_t procField(const char* path, const std::string& name) {
    std::ifstream file(path);
    std::string word;
    while (file >> word) {
        if (word == name) {
            std::uint64_t kibi = 0;
            file >> kibi;
            return kibi * 1024;
        }
    }
    return 0;
}

/// A control group's number; "max" and absent files are no limit.
std::uint64_t groupNumber(const char* path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    return file >> value ? value : std::numeric_limits<std::uint64_t>::max();
}

double productRate(const ComputePlace& place) {
    constexpr std::int64_t kRows = 512;
    constexpr std::int64_t kSide = 1024;
    constexpr double kOperations = 2.0 * kRows * kSide * kSide;
    const at::Tensor a = at::ones({kRows, kSide}, place.options());
    const at::Tensor b = at::ones({kSide, kSide}, place.options());
    const auto once = [&] {
        // Reading one element waits for a device's queue.
        static_cast<void>(at::mm(a, b.t()).view({-1})[0].item<float>());
    };
    once();
    const auto start = Clock::now();
    double operations = 0.0;
    do {
        once();
        operations += kOperations;
    } while (secondsSince(start) < 0.1);
    return operations / secondsSince(start);
}

double readRate(const checkpoint::Checkpoint& checkpoint) {
    constexpr std::uint64_t kMost = std::uint64_t{64} << 20U;
    constexpr std::size_t kChunk = std::size_t{4} << 20U;
    const auto& files = checkpoint.files();
    const auto largest = std::max_element(
        files.begin(), files.end(), [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    if (largest == files.end()) {
        return 0.0;
    }
    const int descriptor = ::open(largest->path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0.0;
    }
    std::vector<char> buffer(kChunk);
    const auto start = Clock::now();
    std::uint64_t done = 0;
    auto offset = static_cast<off_t>(largest->bytes > 2 * kMost ? largest->bytes / 2 : 0);
    while (done < kMost && secondsSince(start) < 0.15) {
        const ssize_t got = ::pread(descriptor, buffer.data(), buffer.size(), offset);
        if (got <= 0) {
            break;
        }
        done += static_cast<std::uint64_t>(got);
        offset += got;
    }
    const double seconds = secondsSince(start);
    ::close(descriptor);
    return seconds > 0.0 ? static_cast<double>(done) / seconds : 0.0;
}

}  // namespace

std::uint64_t availableMemory() {
    const std::uint64_t free = procField("/proc/meminfo", "MemAvailable:");
    const std::uint64_t limit = groupNumber("/sys/fs/cgroup/memory.max");
    const std::uint64_t used = groupNumber("/sys/fs/cgroup/memory.current");
    const bool limited = limit != std::numeric_limits<std::uint64_t>::max() &&
                         used != std::numeric_limits<std::uint64_t>::max();
    return limited ? std::min(free, limit > used ? limit - used : 0) : free;
}

void releaseFreedMemory() {
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
}

std::uint64_t residentMemory() {
    return procField("/proc/self/status", "RssAnon:") + procField("/proc/self/status", "RssShmem:");
}

Calibration calibrate(const ComputePlace& place, const checkpoint::Checkpoint& checkpoint) {
    return {productRate(place), readRate(checkpoint)};
}

}  // namespace moescope::engine
