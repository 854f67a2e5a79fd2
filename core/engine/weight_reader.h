// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/logical_tensor.h"
#include "core/engine/weights.h"

#include <atomic>
#include <compare>
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

/// Brings tensors of a mapped checkpoint into the compute type. On the CPU a tensor, or part of
/// one, that is stored in the compute type without gaps is used where it lies, without a copy. A
/// part never costs more than its own values. Thread-safe.
class WeightReader {
public:
    /// Decoding on a lane beside the computation stays on the lane's thread; decoding that the
    /// computation waits for uses all.
    enum class Threads { One, All };

    WeightReader(const checkpoint::Checkpoint& checkpoint, ComputePlace place)
        : m_checkpoint(checkpoint), m_place(place) {}

    [[nodiscard]] at::Tensor load(const model::TensorRef& ref, Threads threads = Threads::All);
    /// The same in float32 whatever the compute type: for small tensors that models keep so.
    [[nodiscard]] at::Tensor loadFloat(const model::TensorRef& ref);
    [[nodiscard]] Linear load(const model::LinearNames& names, Threads threads = Threads::All);
    [[nodiscard]] FeedForward load(const model::FeedForwardNames& names,
                                   const model::FeedForwardSpec& spec,
                                   Threads threads = Threads::All);
    /// Rows of a matrix in the compute type, on the CPU: [rows, columns]. A row counts as read
    /// once.
    [[nodiscard]] at::Tensor loadRows(const model::TensorRef& ref,
                                      std::span<const std::uint32_t> rows);
    /// Decodes neurons [first, first + count) of a role's matrix to float32 at `to`: rows of gate
    /// and up, columns of down (`columns` true).
    void loadSlab(const model::TensorRef& ref, bool columns, std::uint64_t first,
                  std::uint64_t count, std::span<float> to);
    /// The same of several matrices, which all threads share.
    struct SlabPart {
        WeightReader* reader = nullptr;
        const model::TensorRef* ref = nullptr;
        std::span<float> to;
    };
    static void loadSlabs(std::span<const SlabPart> parts, bool columns, std::uint64_t first,
                          std::uint64_t count);

    /// Whether load() gives a view of the mapped file.
    [[nodiscard]] bool isDirect(const model::TensorRef& ref) const;
    [[nodiscard]] std::uint64_t storedBytes(const model::TensorRef& ref) const;
    [[nodiscard]] std::uint64_t elements(const model::TensorRef& ref) const;
    void willNeed(const model::TensorRef& ref) const;
    /// Lets the pages go; the tensors loaded from them must be gone.
    void release(const model::TensorRef& ref) const;

    [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const { return m_checkpoint; }
    [[nodiscard]] const ComputePlace& place() const { return m_place; }
    /// Bytes of stored tensors touched so far; a tensor used again after release() counts again.
    [[nodiscard]] std::uint64_t bytesRead() const { return m_bytesRead; }
    /// What was found wrong with a loaded tensor (non-finite values); empty: nothing.
    [[nodiscard]] std::string warningOf(const model::TensorRef& ref) const;

private:
    /// Where a reference begins: no two of a model begin at the same place.
    struct Place {
        std::string name;
        std::uint64_t row = 0, column = 0;
        auto operator<=>(const Place&) const = default;
    };
    [[nodiscard]] static Place placeOf(const model::TensorRef& ref);
    void account(const model::TensorRef& ref, const checkpoint::LogicalTensor& tensor);
    [[nodiscard]] bool isDirect(const checkpoint::LogicalTensor& tensor) const;
    [[nodiscard]] static at::Tensor decode(const checkpoint::LogicalTensor& tensor,
                                           at::ScalarType type, Threads threads);
    [[nodiscard]] at::Tensor upload(const checkpoint::LogicalTensor& tensor) const;

    const checkpoint::Checkpoint& m_checkpoint;
    ComputePlace m_place;
    std::atomic<std::uint64_t> m_bytesRead{0};
    mutable std::mutex m_mutex;
    mutable std::set<Place> m_resident;               // guarded: counted, not yet released
    std::set<Place> m_checked;                        // guarded: looked through for NaN
    std::map<Place, std::set<std::uint32_t>> m_rows;  // guarded: read rows
    std::map<Place, std::string> m_warnings;          // guarded
};

}  // namespace moescope::engine
