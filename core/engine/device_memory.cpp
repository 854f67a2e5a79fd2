// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_memory.h"

#include "core/base/error.h"

#include <fmt/format.h>

#if __has_include(<c10/core/CachingDeviceAllocator.h>)
#include <c10/core/CachingDeviceAllocator.h>
#define MOESCOPE_HAS_DEVICE_ALLOCATOR
#endif

#include <string_view>

namespace moescope::engine {

bool isOutOfMemory(const c10::Error& error) {
    // CPU allocators, and the libraries below LibTorch, say it in words alone.
    const std::string_view message = error.what_without_backtrace();
    return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
           message.find("out of memory") != std::string_view::npos ||
           message.find("allocate memory") != std::string_view::npos ||
           message.find("ALLOC_FAILED") != std::string_view::npos;
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

void throwDeviceFull(const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    throw Error(ErrorCode::Device,
                fmt::format("The device's memory ran out, with no more than one expert on it ({}). "
                            "Let the run plan with less of it by --device-memory, so that fewer "
                            "tokens pass at a time, or use less text, fewer experiments or "
                            "--device cpu.",
                            message.substr(0, message.find('\n'))));
}

}  // namespace moescope::engine
