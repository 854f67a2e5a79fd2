// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/logical_tensor.h"
#include "core/engine/device_stream.h"
#include "core/engine/weight_buffers.h"
#include "core/engine/weights.h"

#include <atomic>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace moescope::engine {

/// Where and in which type the model computes.
struct ComputePlace {
    at::Device device = at::kCPU;
    at::ScalarType dtype = at::kFloat;
    [[nodiscard]] at::TensorOptions options() const {
        return at::TensorOptions().dtype(dtype).device(device);
    }
};

/// Which tensors are worth a direct read.
struct DirectReads {
    std::uint64_t leastBytes = std::uint64_t{1} << 20U;
    bool evenCached = false;  ///< those in memory already too
};

/// Brings tensors of a mapped checkpoint into the compute type. On the CPU a tensor, or part of
/// one, that is stored in the compute type without gaps is used where it lies, without a copy. A
/// part never costs more than its own values. Thread-safe.
class WeightReader {
public:
    enum class Load {
        Now,          ///< the computation waits: decoding uses all threads
        Ahead,        ///< on a lane beside the computation, whose thread decoding stays on
        AheadDirect,  ///< the same; what lies on the disk as it is computed with goes past the page
                      ///< cache into the buffers, unless it is in memory already
    };

    WeightReader(const checkpoint::Checkpoint& checkpoint, ComputePlace place)
        : m_checkpoint(checkpoint), m_place(place) {}

    /// Needed for Load::AheadDirect.
    void useBuffers(std::shared_ptr<WeightBuffers> buffers, DirectReads which) {
        m_buffers = std::move(buffers);
        m_direct = which;
    }

    /// From now on everything goes to the place's device through this: with Load::Now in the order
    /// of the computation, else beside it (DeviceStream says what that asks of the caller). Null:
    /// no more.
    void useStream(DeviceStream* stream) { m_stream = stream; }
    /// For readers of the same model on several devices, before any has read: what they read counts
    /// once, is looked through once, and any of them says what was found.
    void shareLedger(const WeightReader& other) { m_ledger = other.m_ledger; }
    /// What was loaded ahead may be computed with on the loading thread.
    void settle() {
        if (m_stream != nullptr) {
            m_stream->settle();
        }
    }

    [[nodiscard]] at::Tensor load(const model::TensorRef& ref, Load how = Load::Now);
    /// The same in float32 whatever the compute type: for small tensors that models keep so.
    [[nodiscard]] at::Tensor loadFloat(const model::TensorRef& ref, Load how = Load::Now);
    [[nodiscard]] Linear load(const model::LinearNames& names, Load how = Load::Now);
    [[nodiscard]] FeedForward load(const model::FeedForwardNames& names,
                                   const model::FeedForwardSpec& spec, Load how = Load::Now);
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

    /// A matrix's values where the file is mapped, if they are bfloat16 without gaps. Counted as
    /// read, but not looked through for NaN: whoever finds one calls lookThrough().
    [[nodiscard]] std::optional<std::span<const std::uint16_t>> storedBfloat16(
        const model::TensorRef& ref);
    void lookThrough(const model::TensorRef& ref);
    /// Whether storedBfloat16() gives something.
    [[nodiscard]] bool isStoredBfloat16(const model::TensorRef& ref) const;

    /// Whether load() gives the bytes of the file as they are: a view of the mapping, or with
    /// Load::AheadDirect a buffer of directRoom() bytes.
    [[nodiscard]] bool isDirect(const model::TensorRef& ref) const;
    /// 0: a view of the mapping in any case.
    [[nodiscard]] std::uint64_t directRoom(const model::TensorRef& ref, std::uint64_t least) const;
    [[nodiscard]] std::uint64_t storedBytes(const model::TensorRef& ref) const;
    [[nodiscard]] std::uint64_t elements(const model::TensorRef& ref) const;
    void willNeed(const model::TensorRef& ref) const;
    /// Lets the pages go; the tensors loaded from them must be gone.
    void release(const model::TensorRef& ref) const;

    [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const { return m_checkpoint; }
    [[nodiscard]] const ComputePlace& place() const { return m_place; }
    /// Bytes of stored tensors touched so far; a tensor used again after release() counts again.
    [[nodiscard]] std::uint64_t bytesRead() const { return m_ledger->bytesRead; }
    /// What was found wrong with a loaded tensor (non-finite values); empty: nothing.
    [[nodiscard]] std::string warningOf(const model::TensorRef& ref) const;

private:
    /// Where a reference begins: no two of a model begin at the same place.
    struct Place {
        std::string name;
        std::uint64_t row = 0, column = 0;
        auto operator<=>(const Place&) const = default;
    };
    /// What was read.
    struct Ledger {
        std::atomic<std::uint64_t> bytesRead{0};
        std::mutex mutex;
        std::set<Place> resident;                       // guarded: counted, not yet released
        std::set<Place> checked;                        // guarded: looked through for NaN
        std::map<Place, std::set<std::uint32_t>> rows;  // guarded: read rows
        std::map<Place, std::string> warnings;          // guarded
    };
    [[nodiscard]] static Place placeOf(const model::TensorRef& ref);
    /// Counts what is read; true when nobody has looked through it for NaN, which is the caller's
    /// then.
    [[nodiscard]] bool account(const model::TensorRef& ref,
                               const checkpoint::LogicalTensor& tensor);
    /// Counts it and looks it through where it is mapped.
    void check(const model::TensorRef& ref, const checkpoint::LogicalTensor& tensor);
    void note(const model::TensorRef& ref, std::uint64_t nonFinite, std::uint64_t of);
    /// Nothing where a view of the mapping serves as well or has to.
    [[nodiscard]] std::optional<at::Tensor> readDirect(
        const checkpoint::LogicalTensor& tensor) const;
    [[nodiscard]] bool isDirect(const checkpoint::LogicalTensor& tensor) const;
    [[nodiscard]] static at::Tensor decode(const checkpoint::LogicalTensor& tensor,
                                           at::ScalarType type, Load how);
    [[nodiscard]] at::Tensor upload(const checkpoint::LogicalTensor& tensor) const;
    /// Through the stream; counts what is not finite in `nonFinite` unless it is null.
    [[nodiscard]] at::Tensor stream(const checkpoint::LogicalTensor& tensor, at::ScalarType type,
                                    Load how, std::uint64_t* nonFinite) const;
    /// The same of what nobody has looked through, and nobody has where it fails.
    [[nodiscard]] at::Tensor streamChecked(const model::TensorRef& ref,
                                           const checkpoint::LogicalTensor& tensor, Load how);

    const checkpoint::Checkpoint& m_checkpoint;
    ComputePlace m_place;
    DeviceStream* m_stream = nullptr;
    std::shared_ptr<WeightBuffers> m_buffers;
    DirectReads m_direct;
    std::shared_ptr<Ledger> m_ledger = std::make_shared<Ledger>();
};

}  // namespace moescope::engine
