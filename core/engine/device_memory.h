// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <functional>
#include <string>

/// What to do when a device's memory runs out. Internal to the engine.
namespace moescope::engine {

/// Whether LibTorch, or a library below it, says that a device's memory ran out.
[[nodiscard]] bool isOutOfMemory(const c10::Error& error);
/// The same of main memory, where nothing that a device gives up helps.
[[nodiscard]] bool isOutOfMainMemory(const c10::Error& error);

/// Gives a device's driver what LibTorch's allocator holds but nothing uses.
void releaseCachedBlocks(at::Device device);

/// A tensor in main memory, page-locked where `wanted` and there is such memory left, which is
/// scarcer; without it copies do not go beside the computation.
[[nodiscard]] at::Tensor pageLocked(std::int64_t elements, at::ScalarType type, bool wanted);

/// Makes room on the device, after everything that computed there has let go of its memory: what
/// was read ahead goes first, then fewer experts lie there at a time (Replica). False: nothing is
/// left to give up.
using Relief = std::function<bool()>;

/// What is said then: that nothing is left to give up where that was tried. Error(Device).
enum class ReliefTried { No, Yes };
[[nodiscard]] Error deviceFull(const c10::Error& error, ReliefTried tried);

/// Calls work(), again as long as memory runs out in it and there is relief. Until it has all the
/// memory it needs, work() must change nothing that it would meet again. Without `relieve` errors
/// pass through.
template <typename Work>
auto withRelief(const Relief& relieve, const Work& work) {
    if (!relieve) {
        return work();
    }
    for (;;) {
        try {
            return work();
        } catch (const c10::Error& error) {
            if (!isOutOfMemory(error)) {
                throw;
            }
            if (!relieve()) {
                throw deviceFull(error, ReliefTried::Yes);
            }
        }
    }
}

}  // namespace moescope::engine
