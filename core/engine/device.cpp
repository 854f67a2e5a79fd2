// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device.h"

#include "core/base/error.h"
#include "core/engine/loaded_function.h"
#include "core/jobs/parallel_for.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/version.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

namespace moescope::engine {
namespace {

std::size_t cudaDevices() {
    return torch::cuda::is_available() ? torch::cuda::device_count() : 0;
}

int deviceIndex(const std::string& wanted) {
    constexpr std::string_view prefix = "cuda";
    if (wanted == prefix) {
        return 0;
    }
    int index = -1;
    const char* begin = wanted.data() + prefix.size() + 1;
    const char* end = wanted.data() + wanted.size();
    const bool parsed = wanted.starts_with("cuda:") && begin < end &&
                        std::from_chars(begin, end, index).ptr == end && index >= 0;
    if (!parsed) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("device \"{}\" is not known; use auto, cpu, cuda or cuda:N", wanted));
    }
    return index;
}

std::string cudaName(int index) {
    auto* name = loadedFunction<int(char*, int, int)>("cuDeviceGetName");
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

at::Device chooseDevice(const std::string& wanted) {
    if (wanted == "cpu") {
        return at::kCPU;
    }
    const std::size_t available = cudaDevices();
    if (wanted == "auto") {
        return available > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
    }
    const int index = deviceIndex(wanted);
    if (static_cast<std::size_t>(index) >= available) {
        throw Error(ErrorCode::Device,
                    fmt::format("device \"{}\" is not there: this LibTorch sees {} CUDA devices; "
                                "use --device cpu, or build against a CUDA LibTorch",
                                wanted, available));
    }
    return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
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

std::string describeEngine(at::Device device) {
    if (device.is_cpu()) {
        const auto threads = jobs::loopThreads();
        return fmt::format("LibTorch {}, {} thread{}", TORCH_VERSION, threads,
                           threads == 1 ? "" : "s");
    }
    return fmt::format("LibTorch {}, {}", TORCH_VERSION, cudaName(device.index()));
}

std::string describe(at::Device device) {
    return device.is_cpu() ? "cpu" : fmt::format("cuda:{}", static_cast<int>(device.index()));
}

std::string describe(at::ScalarType dtype) {
    return dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

std::uint64_t freeDeviceBytes(at::Device device) {
    auto* query = loadedFunction<int(std::size_t*, std::size_t*)>("cudaMemGetInfo");
    std::size_t free = 0;
    std::size_t total = 0;
    if (device.is_cpu() || query == nullptr || query(&free, &total) != 0) {
        return 0;
    }
    return free;
}

}  // namespace moescope::engine
