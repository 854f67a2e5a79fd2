// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_memory.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#if __has_include(<c10/core/CachingDeviceAllocator.h>)
#include <c10/core/CachingDeviceAllocator.h>
#define MOESCOPE_HAS_DEVICE_ALLOCATOR
#endif

#include <string_view>

namespace moescope::engine {

namespace {

bool says(const c10::Error& error, std::string_view words) {
    return std::string_view(error.what_without_backtrace()).find(words) != std::string_view::npos;
}

}  // namespace

bool isOutOfMainMemory(const c10::Error& error) {
    return says(error, "DefaultCPUAllocator") || says(error, "allocate memory");
}

bool isOutOfMemory(const c10::Error& error) {
    // The libraries below LibTorch say it in words alone.
    return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
           (!isOutOfMainMemory(error) &&
            (says(error, "out of memory") || says(error, "ALLOC_FAILED")));
}

void releaseCachedBlocks(at::Device device) {
#if defined(MOESCOPE_HAS_DEVICE_ALLOCATOR)
    if (!device.is_cpu()) {
        c10::getDeviceAllocator(device.type())->emptyCache();
    }
#else
    // The allocator does it itself before it says that memory ran out.
    static_cast<void>(device);
#endif
}

at::Tensor pageLocked(std::int64_t elements, at::ScalarType type, bool wanted) {
    const auto options = at::TensorOptions().dtype(type);
    try {
        return at::empty({elements}, options.pinned_memory(wanted));
    } catch (const c10::Error& error) {
        if (!wanted || !isOutOfMemory(error)) {
            throw;
        }
    }
    return at::empty({elements}, options);
}

Error deviceFull(const c10::Error& error, ReliefTried tried) {
    const std::string message = error.what_without_backtrace();
    return {ErrorCode::Device,
            fmt::format("The device's memory ran out{} ({}). Let the run plan with less of it by "
                        "--device-memory, so that fewer tokens pass at a time, or use less text, "
                        "fewer experiments or --device cpu.",
                        tried == ReliefTried::Yes ? ", and nothing is left there to give up" : "",
                        message.substr(0, message.find('\n')))};
}

}  // namespace moescope::engine
