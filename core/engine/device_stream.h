// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/logical_tensor.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace moescope::engine {

/// An order of copies to a device beside the order of its computation, so that weights travel while
/// it computes: through staging buffers in main memory (page-locked ones, which the device reads by
/// itself) that are filled again as soon as what was in them has arrived. On the CPU a thread of
/// its own stands for the device's copy engine: buffers, marks and hand-over are the same there,
/// which is how they are tested.
///
/// Who owns what, when: a tensor from upload() belongs to the copies until ready.holdComputation();
/// from then on to the computation, and may be dropped only when a computationMark() taken after
/// its last use has passed: a device's allocator gives its memory to the next upload at once,
/// whatever the computation still has to do. Thread-safe.
class DeviceStream {
public:
    /// `stagingBytes` in all; allocated when they are first needed.
    DeviceStream(at::Device device, std::uint64_t stagingBytes);
    /// Waits until nothing is under way any more.
    ~DeviceStream();
    DeviceStream(const DeviceStream&) = delete;
    DeviceStream& operator=(const DeviceStream&) = delete;

    [[nodiscard]] at::Device device() const { return m_device; }

    /// A point in an order of work on the device.
    class Mark {
    public:
        Mark() = default;  ///< passed already
        /// The calling thread goes on when the device has come to it.
        void wait() const;
        /// What the calling thread gives to the device from now on waits for it; the thread does
        /// not.
        void holdComputation() const;

    private:
        friend class DeviceStream;
        struct State;
        explicit Mark(std::shared_ptr<const State> state) : m_state(std::move(state)) {}
        std::shared_ptr<const State> m_state;
    };
    /// Behind all that was uploaded so far.
    [[nodiscard]] Mark uploadMark();
    /// Behind all that the calling thread gave to the device outside any Scope.
    [[nodiscard]] Mark computationMark() const;

    /// While it lives, the calling thread's operations on the device's tensors stand in the order
    /// of copies. On the CPU, where they do not, use settle() before.
    class Scope {
    public:
        explicit Scope(const DeviceStream& stream);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        struct State;
        std::unique_ptr<State> m_state;
    };
    /// What was uploaded so far may be used by the calling thread's operations in a Scope.
    void settle();

    /// Where an upload stands.
    enum class Order {
        Copies,      ///< beside the computation; take an uploadMark() behind it
        Computation  ///< in the calling thread's own order: to be used at once
    };
    /// What is uploaded: `rows` of `columns` values of `stored`, which become `wanted` on the
    /// device.
    struct Source {
        std::vector<std::int64_t> shape;
        std::uint64_t rows = 0, columns = 0;
        at::ScalarType stored, wanted;
        /// Writes a window's values, row-major.
        std::function<void(const checkpoint::Window&, void*)> fill;
    };
    /// Throws what the device's allocator throws.
    [[nodiscard]] at::Tensor upload(const Source& source, Order order);

private:
    class Buffers;
    struct Worker;
    void copyPieces(const Source& source, const at::Tensor& flat, Order order);
    /// In the order asked for.
    void enqueue(Order order, std::function<void()> copy);
    [[nodiscard]] Mark markOf(Order order);

    at::Device m_device;
    std::unique_ptr<Buffers> m_buffers;
    std::unique_ptr<Worker> m_worker;
};

}  // namespace moescope::engine
