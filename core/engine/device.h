// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/weight_reader.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace moescope::engine {

/// Devices that are there, which share a text's documents: "auto" is the first CUDA device or else
/// the CPU, "cuda" all CUDA devices, "cuda:0,cuda:2" these, "cpu" the CPU ("cpu,cpu" is for tests).
/// Throws Error(Usage | Device).
[[nodiscard]] std::vector<at::Device> chooseDevices(const std::string& wanted);
/// The first of them.
[[nodiscard]] at::Device chooseDevice(const std::string& wanted);

/// "auto", "float32" or "bfloat16" for a checkpoint whose expert weights are stored as
/// `stored`. Auto takes bfloat16 when the weights are stored in it and the device multiplies it
/// natively. Throws Error(Usage).
[[nodiscard]] at::ScalarType chooseDtype(const std::string& wanted, checkpoint::Dtype stored,
                                         at::Device device);

/// Whether the processor multiplies bfloat16 in hardware (AVX512-BF16 or AMX).
[[nodiscard]] bool hasBfloat16Products();

/// LibTorch and the BLAS below it to `threads` (0: all that this process may use); returns the
/// number. LibTorch 1.13 starts with one.
int setThreads(int threads);

/// Threads that a model's matrices are worth, for setThreads(): one for tiny models, where waking
/// and waiting for a second costs more than it computes, and much more on a busy machine.
[[nodiscard]] int usefulThreads(const model::ModelSpec& model);

/// Gives a model's run its threads (0: all): LibTorch's operations where its matrices are large,
/// else one of them, and lanes and loops of our own the rest (jobs::loopThreads()). Returns
/// LibTorch's.
int setThreadsFor(const model::ModelSpec& model, int threads);

/// While it lives, each of `lanes` threads of ours that has called enter() computes with its share
/// of the threads that LibTorch and the BLAS had. One that has all of them to itself while another
/// does too waits more than it computes.
class DividedThreads {
public:
    explicit DividedThreads(int lanes);
    ~DividedThreads();
    DividedThreads(const DividedThreads&) = delete;
    DividedThreads& operator=(const DividedThreads&) = delete;
    void enter() const;

private:
    int m_whole;
    unsigned m_loops;
    int m_share;
};

/// "LibTorch 1.13.1, 2 threads" / "LibTorch 2.8.0, 2 x NVIDIA H200".
[[nodiscard]] std::string describeEngine(std::span<const at::Device> devices);
[[nodiscard]] std::string describe(at::Device device);                    ///< "cpu", "cuda:0"
[[nodiscard]] std::string describe(std::span<const at::Device> devices);  ///< "cuda:0,cuda:1"
[[nodiscard]] std::string describe(at::ScalarType dtype);

/// Free memory of the device in bytes; nothing when it cannot be asked.
[[nodiscard]] std::optional<std::uint64_t> freeDeviceBytes(at::Device device);

}  // namespace moescope::engine
