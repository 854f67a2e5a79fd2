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
#include <cmath>
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

/// Seconds of `once`, the best of what fits into `limit`, but of several tries in any case: other
/// work may interrupt the first for longer than that.
template <typename Once>
double bestSeconds(double limit, const Once& once) {
    constexpr int kLeastTries = 4;
    once();
    double best = std::numeric_limits<double>::max();
    const auto start = Clock::now();
    for (int tries = 0; tries < kLeastTries || secondsSince(start) < limit; ++tries) {
        const auto begin = Clock::now();
        once();
        best = std::min(best, std::max(secondsSince(begin), 1e-9));
    }
    return best;
}

/// Operations that a device is told of before anybody waits: how long it takes to be told, and to
/// answer, is no part of its rate (callSeconds() is).
int queued(at::Device device) {
    constexpr int kQueued = 32;
    return device.is_cpu() ? 1 : kQueued;
}

/// Reading one element waits for a device's queue.
void waitFor(const at::Tensor& result) {
    if (!result.is_cpu()) {
        static_cast<void>(result.view({-1})[0].item<float>());
    }
}

double productRate(const ComputePlace& place, const ProductShape& shape) {
    // Large products of larger sides are not faster; on the CPU a try has to be over before other
    // work takes the processor, or its rate is that of both.
    const int kLargestSide = place.device.is_cpu() ? 512 : 2048;
    const int in = std::clamp(shape.in, 1, kLargestSide);
    const int out = std::clamp(shape.out, 1, kLargestSide);
    const at::Tensor x = at::ones({shape.rows, in}, place.options());
    const at::Tensor weight = at::ones({out, in}, place.options());
    const int count = queued(place.device);
    const double operations = 2.0 * count * shape.rows * in * out;
    return operations / bestSeconds(0.06, [&] {
               at::Tensor y;
               for (int i = 0; i < count; ++i) {
                   y = at::linear(x, weight);
               }
               waitFor(y);
           });
}

double elementRate(const ComputePlace& place) {
    // Beyond all caches, so that what a run leaves in them does not count, and in memory that is
    // used again: new memory takes several times as long, and more when the kernel is busy.
    constexpr std::int64_t kBytes = std::int64_t{32} << 20;
    constexpr std::int64_t kOnDevice = std::int64_t{1} << 25;
    const std::int64_t elements =
        place.device.is_cpu() ? kBytes / static_cast<std::int64_t>(c10::elementSize(place.dtype))
                              : kOnDevice;
    const int count = queued(place.device);
    const at::Tensor x = at::ones({elements}, place.options());
    at::Tensor y = at::empty_like(x);
    return static_cast<double>(elements * count) / bestSeconds(0.02, [&] {
               for (int i = 0; i < count; ++i) {
                   at::mul_out(y, x, x);
               }
               waitFor(y);
           });
}

/// Arc cosines in float64, with the passes over a matrix of similarities around them; 0 on the CPU.
double deviceStepRate(at::Device device) {
    if (device.is_cpu()) {
        return 0.0;
    }
    constexpr std::int64_t kElements = std::int64_t{1} << 22;
    const int count = queued(device);
    const at::Tensor x =
        at::full({kElements}, 0.5, at::TensorOptions().device(device).dtype(at::kDouble));
    return static_cast<double>(kElements * count) / bestSeconds(0.01, [&] {
               at::Tensor y;
               for (int i = 0; i < count; ++i) {
                   y = x.mul(x).clamp_(-1.0, 1.0).acos_();
               }
               waitFor(y.narrow(0, 0, 1).to(at::kFloat));
           });
}

double stepRate() {
    constexpr int kSteps = 10000;
    double sum = 0.0;
    const double seconds = bestSeconds(0.005, [&] {
        for (int i = 0; i < kSteps; ++i) {
            sum += std::acos(static_cast<double>(i) / kSteps);
        }
    });
    // The sum keeps the loop from being left out.
    return sum > 0.0 ? kSteps / seconds : 0.0;
}

double callSeconds(const ComputePlace& place) {
    constexpr std::int64_t kRows = 2;
    constexpr std::int64_t kSide = 8;
    constexpr int kRounds = 50;
    constexpr double kCallsPerRound = 3.0;  // a product and two on elements; views do not count
    const at::Tensor x = at::ones({2 * kRows, kSide}, place.options());
    const at::Tensor weight = at::zeros({kSide, kSide}, place.options());
    return bestSeconds(0.02,
                       [&] {
                           at::Tensor y = x;
                           for (int i = 0; i < kRounds; ++i) {
                               y = at::linear(x.narrow(0, 0, kRows), weight).mul_(2.0).add(1.0);
                           }
                           waitFor(y);
                       }) /
           (kRounds * kCallsPerRound);
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
    std::vector<double> seconds;  // of each chunk
    auto offset = static_cast<off_t>(largest->bytes > 2 * kMost ? largest->bytes / 2 : 0);
    while (done < kMost && secondsSince(start) < 0.06) {
        const auto begin = Clock::now();
        const ssize_t got = ::pread(descriptor, buffer.data(), buffer.size(), offset);
        if (got <= 0) {
            break;
        }
        seconds.push_back(std::max(secondsSince(begin), 1e-9) / static_cast<double>(got));
        done += static_cast<std::uint64_t>(got);
        offset += got;
    }
    ::close(descriptor);
    if (seconds.empty()) {
        return 0.0;
    }
    // The median: other work interrupts some, and of a file on the disk some are in memory.
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return 1.0 / *middle;
}

/// From page-locked memory to a device, as weights go.
double uploadRate(at::Device device) {
    constexpr std::int64_t kBytes = std::int64_t{32} << 20;
    const at::Tensor from =
        at::empty({kBytes}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
    at::Tensor to = at::empty({kBytes}, at::TensorOptions().dtype(at::kByte).device(device));
    return static_cast<double>(kBytes) / bestSeconds(0.02, [&] {
               to.copy_(from);
               waitFor(to);
           });
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

Calibration calibrate(const ComputePlace& place, const ProductShape& shape,
                      const checkpoint::Checkpoint& checkpoint) {
    const double model = productRate(place, shape);
    // Files go through main memory to a device without a stop: the slower way counts.
    const double upload =
        place.device.is_cpu() ? std::numeric_limits<double>::infinity() : uploadRate(place.device);
    const ComputePlace wide{place.device, at::kFloat};
    return {.productsPerSecond = place.dtype == at::kFloat ? model : productRate(wide, shape),
            .modelProductsPerSecond = model,
            .elementsPerSecond = elementRate(place),
            .stepsPerSecond = stepRate(),
            .secondsPerCall = callSeconds(place),
            .readBytesPerSecond = std::min(readRate(checkpoint), upload),
            .deviceStepsPerSecond = deviceStepRate(place.device)};
}

}  // namespace moescope::engine
