// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device.h"

#include "core/base/error.h"
#include "core/engine/loaded_function.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/version.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <map>
#include <string_view>

namespace moescope::engine {
namespace {

std::size_t cudaDevices() {
    return torch::cuda::is_available() ? torch::cuda::device_count() : 0;
}

[[noreturn]] void refuseDevice(std::string_view wanted) {
    throw Error(ErrorCode::Usage,
                fmt::format("device \"{}\" is not known; use auto, cpu, cuda (all there are) or "
                            "cuda:N, several with commas",
                            wanted));
}

/// "cuda:1"
at::Device numberedDevice(std::string_view name, std::size_t available) {
    constexpr std::string_view kPrefix = "cuda:";
    int index = -1;
    const char* begin = name.data() + std::min(kPrefix.size(), name.size());
    const char* end = name.data() + name.size();
    const bool parsed = name.starts_with(kPrefix) && begin < end &&
                        std::from_chars(begin, end, index).ptr == end && index >= 0;
    if (!parsed) {
        refuseDevice(name);
    }
    if (static_cast<std::size_t>(index) >= available) {
        throw Error(ErrorCode::Device,
                    fmt::format("device \"{}\" is not there: this LibTorch sees {} CUDA devices; "
                                "use --device cpu, or build against a CUDA LibTorch",
                                name, available));
    }
    return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

std::string cudaName(int index) {
    // The runtime opens the driver for itself alone.
    auto* name = loadedFunction<int(char*, int, int)>("cuDeviceGetName", "libcuda.so.1");
    std::array<char, 128> text{};
    if (name == nullptr || name(text.data(), static_cast<int>(text.size()) - 1, index) != 0) {
        return fmt::format("cuda:{}", index);
    }
    return text.data();
}

/// OpenBLAS built with its own threads does not follow OpenMP's number, and has one for all
/// callers.
void setBlasThreads(int count) {
    if (auto* setBlas = loadedFunction<void(int)>("openblas_set_num_threads")) {
        setBlas(count);
    }
}

}  // namespace

std::vector<at::Device> chooseDevices(const std::string& wanted) {
    const std::size_t available = cudaDevices();
    if (wanted == "auto") {
        return {available > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU)};
    }
    std::vector<at::Device> devices;
    if (wanted == "cuda") {
        for (std::size_t i = 0; i < std::max<std::size_t>(available, 1); ++i) {
            devices.push_back(numberedDevice(fmt::format("cuda:{}", i), available));
        }
        return devices;
    }
    std::string_view rest = wanted;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        const std::string_view name = rest.substr(0, comma);
        const at::Device device =
            name == "cpu" ? at::Device(at::kCPU) : numberedDevice(name, available);
        const bool isFirst = devices.empty();
        if (!isFirst && (device.type() != devices.front().type() ||
                         (!device.is_cpu() &&
                          std::find(devices.begin(), devices.end(), device) != devices.end()))) {
            refuseDevice(wanted);
        }
        devices.push_back(device);
        more = comma != std::string_view::npos;
        rest.remove_prefix(more ? comma + 1 : rest.size());
    }
    return devices;
}

at::Device chooseDevice(const std::string& wanted) {
    return chooseDevices(wanted).front();
}

at::ScalarType chooseDtype(const std::string& wanted, checkpoint::Dtype stored, at::Device device) {
    if (wanted == "float32") {
        return at::kFloat;
    }
    if (wanted == "bfloat16") {
        return at::kBFloat16;
    }
    if (wanted != "auto") {
        throw Error(
            ErrorCode::Usage,
            fmt::format("dtype \"{}\" is not known; use auto, float32 or bfloat16", wanted));
    }
    const bool native = !device.is_cpu() || hasBfloat16Products();
    return native && stored == checkpoint::Dtype::BF16 ? at::kBFloat16 : at::kFloat;
}

bool hasBfloat16Products() {
#if defined(__x86_64__)
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    constexpr unsigned kAmxBf16 = 1U << 22U;
    constexpr unsigned kAvx512Bf16 = 1U << 5U;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kAmxBf16) != 0) {
        return true;
    }
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvx512Bf16) != 0;
#else
    return false;
#endif
}

int setThreads(int threads) {
    const int count = threads > 0 ? threads : static_cast<int>(jobs::availableThreads());
    at::set_num_threads(count);
    setBlasThreads(count);
    jobs::setLoopThreads(static_cast<unsigned>(count));
    return count;
}

DividedThreads::DividedThreads(int lanes)
    : m_whole(at::get_num_threads()),
      m_loops(jobs::loopThreads()),
      m_share(std::max(1, m_whole / std::max(lanes, 1))) {
    setBlasThreads(m_share);
    jobs::setLoopThreads(m_loops / static_cast<unsigned>(std::max(lanes, 1)));
}

DividedThreads::~DividedThreads() {
    setThreads(m_whole);
    jobs::setLoopThreads(m_loops);
}

void DividedThreads::enter() const {
    // LibTorch gives a thread that it has not seen the number of all.
    static_cast<void>(at::get_num_threads());
    if (auto* setOwn = loadedFunction<void(int)>("omp_set_num_threads")) {
        setOwn(m_share);
    }
}

int setThreadsFor(const model::ModelSpec& model, int threads) {
    const bool isSmall = usefulThreads(model) == 1;
    const int count = setThreads(threads);
    if (!isSmall) {
        return count;
    }
    setThreads(1);
    jobs::setLoopThreads(static_cast<unsigned>(count));
    return 1;
}

int usefulThreads(const model::ModelSpec& model) {
    constexpr std::uint64_t kWorthThreads = std::uint64_t{1} << 18U;
    const auto hidden = static_cast<std::uint64_t>(model.hiddenSize);
    for (const model::LayerSpec& layer : model.layers) {
        const int width =
            layer.moe ? layer.moe->expert.intermediateSize : layer.dense->intermediateSize;
        if (hidden * static_cast<std::uint64_t>(width) >= kWorthThreads) {
            return 0;
        }
    }
    return 1;
}

std::string describeEngine(std::span<const at::Device> devices) {
    if (devices.front().is_cpu()) {
        const auto threads = jobs::loopThreads();
        return fmt::format("LibTorch {}, {} thread{}", TORCH_VERSION, threads,
                           threads == 1 ? "" : "s");
    }
    std::map<std::string, int> counts;
    for (const at::Device device : devices) {
        ++counts[cudaName(device.index())];
    }
    std::string names;
    for (const auto& [name, count] : counts) {
        names += fmt::format(", {}{}", count > 1 ? fmt::format("{} x ", count) : "", name);
    }
    return fmt::format("LibTorch {}{}", TORCH_VERSION, names);
}

std::string describe(at::Device device) {
    return device.is_cpu() ? "cpu" : fmt::format("cuda:{}", static_cast<int>(device.index()));
}

std::string describe(std::span<const at::Device> devices) {
    std::string names;
    for (const at::Device device : devices) {
        names += (names.empty() ? "" : ",") + describe(device);
    }
    return names;
}

std::string describe(at::ScalarType dtype) {
    return dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

std::optional<std::uint64_t> freeDeviceBytes(at::Device device) {
    auto* query = loadedFunction<int(std::size_t*, std::size_t*)>("cudaMemGetInfo");
    if (device.is_cpu() || query == nullptr) {
        return std::nullopt;
    }
    const c10::DeviceGuard guard(device);  // it is asked of the current one
    std::size_t free = 0;
    std::size_t total = 0;
    return query(&free, &total) == 0 ? std::optional<std::uint64_t>(free) : std::nullopt;
}

}  // namespace moescope::engine
