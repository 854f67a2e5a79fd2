// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/engine/weights.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>

namespace moescope::engine {

/// Where and in which type the model computes.
struct ComputePlace {
    at::Device device = at::kCPU;
    at::ScalarType dtype = at::kFloat;
    [[nodiscard]] at::TensorOptions options() const {
        return at::TensorOptions().dtype(dtype).device(device);
    }
};

/// Non-finite elements of stored floating-point values; 0 for integers.
[[nodiscard]] std::uint64_t countNonFinite(checkpoint::Dtype dtype,
                                           std::span<const std::byte> bytes);

/// Brings tensors of a mapped checkpoint into the compute type. On the CPU a tensor that is stored
/// in the compute type is used where it lies, without a copy. Thread-safe.
class WeightReader {
public:
    /// Decoding on a lane beside the computation stays on the lane's thread; decoding that the
    /// computation waits for uses all.
    enum class Threads { One, All };

    WeightReader(const checkpoint::Checkpoint& checkpoint, ComputePlace place)
        : m_checkpoint(checkpoint), m_place(place) {}

    [[nodiscard]] at::Tensor load(const std::string& name, Threads threads = Threads::All);
    /// The same in float32 whatever the compute type: for small tensors that models keep so.
    [[nodiscard]] at::Tensor loadFloat(const std::string& name);
    [[nodiscard]] Linear load(const model::LinearNames& names, Threads threads = Threads::All);
    [[nodiscard]] FeedForward load(const model::FeedForwardNames& names,
                                   const model::FeedForwardSpec& spec,
                                   Threads threads = Threads::All);
    /// Rows of a matrix in the compute type, on the CPU: [rows, columns]. A row counts as read
    /// once.
    [[nodiscard]] at::Tensor loadRows(const std::string& name, std::span<const std::uint32_t> rows);
    /// Decodes neurons [first, first + count) of a role's matrix to float32 at `to`: rows of gate
    /// and up, columns of down (`columns` true).
    void loadSlab(const std::string& name, bool columns, std::uint64_t first, std::uint64_t count,
                  std::span<float> to);

    /// Whether load() gives a view of the mapped file.
    [[nodiscard]] bool isDirect(const std::string& name) const;
    [[nodiscard]] std::uint64_t storedBytes(const std::string& name) const;
    void willNeed(const std::string& name) const;
    /// Lets the pages go; the tensors loaded from them must be gone.
    void release(const std::string& name) const;

    [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const { return m_checkpoint; }
    [[nodiscard]] const ComputePlace& place() const { return m_place; }
    /// Bytes of stored tensors touched so far; a tensor used again after release() counts again.
    [[nodiscard]] std::uint64_t bytesRead() const { return m_bytesRead; }
    /// What was found wrong with a loaded tensor (non-finite values); empty: nothing.
    [[nodiscard]] std::string warningOf(const std::string& name) const;

private:
    void account(const checkpoint::TensorView& tensor);
    [[nodiscard]] at::Tensor decode(const checkpoint::TensorView& tensor, Threads threads) const;
    [[nodiscard]] at::Tensor upload(const checkpoint::TensorView& tensor) const;

    const checkpoint::Checkpoint& m_checkpoint;
    ComputePlace m_place;
    std::atomic<std::uint64_t> m_bytesRead{0};
    mutable std::mutex m_mutex;
    mutable std::set<std::string, std::less<>> m_resident;  // guarded: counted, not yet released
    std::set<std::string, std::less<>> m_checked;           // guarded: looked through for NaN
    std::map<std::string, std::set<std::uint32_t>, std::less<>> m_rows;  // guarded: read rows
    std::map<std::string, std::string, std::less<>> m_warnings;          // guarded
};

}  // namespace moescope::engine
