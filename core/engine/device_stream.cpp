// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/device_stream.h"

#include "core/engine/device_memory.h"
#include "core/jobs/lane_worker.h"

#include <ATen/ATen.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace moescope::engine {
namespace {

/// One is filled while the device reads the other; a third keeps both busy when they take turns
/// unevenly.
constexpr std::uint64_t kStagingBuffers = 3;

c10::Stream computationOf(at::Device device) {
    return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

/// c10::Event learnt to wait in LibTorch 2.4. A template, so that what is not there is not looked
/// up.
template <typename Event>
void waitForEvent(const Event& event) {
    if constexpr (requires { event.synchronize(); }) {
        event.synchronize();
    } else {
        // Uploads take milliseconds.
        constexpr std::chrono::microseconds kPause{20};
        while (!event.query()) {
            std::this_thread::sleep_for(kPause);
        }
    }
}

}  // namespace

/// On a device an event of its driver, on the CPU the end of a task.
struct DeviceStream::Mark::State {
    at::Device device;
    std::optional<c10::Event> event;
    std::shared_future<void> task;
};

void DeviceStream::Mark::wait() const {
    if (m_state && m_state->event) {
        waitForEvent(*m_state->event);
    } else if (m_state) {
        m_state->task.wait();
    }
}

void DeviceStream::Mark::holdComputation() const {
    if (m_state && m_state->event) {
        m_state->event->block(computationOf(m_state->device));
    } else {
        wait();  // the CPU computes at once
    }
}

/// The order of copies: the device's own, or a thread in its place.
struct DeviceStream::Worker {
    std::optional<c10::Stream> stream;
    std::optional<jobs::LaneWorker> lane;
};

/// Staging buffers, each with the mark behind the last copy out of it.
class DeviceStream::Buffers {
public:
    Buffers(at::Device device, std::uint64_t bytes)
        : m_pinned(!device.is_cpu()),
          m_bytes(std::max<std::uint64_t>(bytes / kStagingBuffers, kAlignment) / kAlignment *
                  kAlignment) {}

    [[nodiscard]] std::uint64_t bytes() const { return m_bytes; }

    /// A buffer that is given back when this ends, to be filled again once until() is passed.
    class Loan {
    public:
        explicit Loan(Buffers& buffers) : m_buffers(buffers), m_bytes(buffers.take()) {}
        ~Loan() { m_buffers.giveBack(std::move(m_bytes), std::move(m_copied)); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        [[nodiscard]] const at::Tensor& bytes() const { return m_bytes; }
        void until(Mark copied) { m_copied = std::move(copied); }

    private:
        Buffers& m_buffers;
        at::Tensor m_bytes;
        Mark m_copied;
    };

private:
    [[nodiscard]] at::Tensor make() const {
        return pageLocked(static_cast<std::int64_t>(m_bytes), at::kByte, m_pinned);
    }
    /// One that is free to be filled: whose last copy has arrived. Waits for it.
    [[nodiscard]] at::Tensor take() {
        Entry entry;
        {
            std::unique_lock lock(m_mutex);
            if (m_free.empty() && m_made < kStagingBuffers) {
                at::Tensor bytes = make();
                ++m_made;
                return bytes;
            }
            m_changed.wait(lock, [&] { return !m_free.empty(); });
            entry = std::move(m_free.front());
            m_free.pop_front();
        }
        entry.copied.wait();
        return entry.bytes;
    }
    void giveBack(at::Tensor bytes, Mark copied) {
        {
            const std::lock_guard lock(m_mutex);
            m_free.push_back({std::move(bytes), std::move(copied)});
        }
        m_changed.notify_one();
    }

    /// Of the widest elements, and of what vectorised loops like to write to.
    static constexpr std::uint64_t kAlignment = 64;
    struct Entry {
        at::Tensor bytes;
        Mark copied;
    };
    bool m_pinned;
    std::uint64_t m_bytes;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<Entry> m_free;  // guarded; those that were given back first are free first
    std::uint64_t m_made = 0;  // guarded
};

DeviceStream::DeviceStream(at::Device device, std::uint64_t stagingBytes)
    : m_device(device),
      m_buffers(std::make_unique<Buffers>(device, stagingBytes)),
      m_worker(std::make_unique<Worker>()) {
    if (device.is_cpu()) {
        m_worker->lane.emplace("copies");
    } else {
        m_worker->stream =
            c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
    }
}

DeviceStream::~DeviceStream() {
    try {
        uploadMark().wait();
        computationMark().wait();
    } catch (const std::exception&) {
        // A device that failed has told whoever computed on it.
    }
}

DeviceStream::Mark DeviceStream::markOf(Order order) {
    if (m_worker->lane) {
        if (order == Order::Computation) {
            return {};
        }
        return Mark(std::make_shared<const Mark::State>(
            Mark::State{m_device, std::nullopt, m_worker->lane->submit([] {}).share()}));
    }
    c10::Event event(m_device.type());
    event.record(order == Order::Copies ? *m_worker->stream : computationOf(m_device));
    return Mark(std::make_shared<const Mark::State>(Mark::State{m_device, std::move(event), {}}));
}

DeviceStream::Mark DeviceStream::uploadMark() {
    return markOf(Order::Copies);
}

DeviceStream::Mark DeviceStream::computationMark() const {
    if (m_device.is_cpu()) {
        return {};
    }
    c10::Event event(m_device.type());
    event.record(computationOf(m_device));
    return Mark(std::make_shared<const Mark::State>(Mark::State{m_device, std::move(event), {}}));
}

struct DeviceStream::Scope::State {
    std::optional<c10::StreamGuard> guard;
};

DeviceStream::Scope::Scope(const DeviceStream& stream) : m_state(std::make_unique<State>()) {
    if (stream.m_worker->stream) {
        m_state->guard.emplace(*stream.m_worker->stream);
    }
}

DeviceStream::Scope::~Scope() = default;

void DeviceStream::settle() {
    if (m_worker->lane) {
        uploadMark().wait();
    }
}

void DeviceStream::enqueue(Order order, std::function<void()> copy) {
    if (m_worker->lane && order == Order::Copies) {
        static_cast<void>(m_worker->lane->submit(std::move(copy)));
    } else {
        copy();  // a device puts it into the order of the calling thread's stream
    }
}

at::Tensor DeviceStream::upload(const Source& source, Order order) {
    std::optional<Scope> scope;
    if (order == Order::Copies) {
        scope.emplace(*this);
    }
    // Allocated and converted in the order that it is copied in: the allocator then knows that its
    // memory is free for it.
    at::Tensor arriving =
        at::empty(source.shape, at::TensorOptions().dtype(source.stored).device(m_device));
    copyPieces(source, arriving.view({-1}), order);
    if (source.stored == source.wanted) {
        return arriving;
    }
    at::Tensor result = at::empty(source.shape, arriving.options().dtype(source.wanted));
    enqueue(order, [result, arriving] { result.copy_(arriving); });
    return result;
}

void DeviceStream::copyPieces(const Source& source, const at::Tensor& flat, Order order) {
    const auto size = static_cast<std::uint64_t>(flat.element_size());
    const std::uint64_t most = m_buffers->bytes() / size;
    const std::uint64_t columns = std::clamp<std::uint64_t>(source.columns, 1, most);
    const std::uint64_t rows =
        columns < source.columns ? 1 : std::max<std::uint64_t>(most / columns, 1);
    for (std::uint64_t row = 0; row < source.rows; row += rows) {
        for (std::uint64_t column = 0; column < source.columns; column += columns) {
            const checkpoint::Window window{row, std::min(rows, source.rows - row), column,
                                            std::min(columns, source.columns - column)};
            const auto count = static_cast<std::int64_t>(window.rows * window.columns);
            const auto first = static_cast<std::int64_t>(row * source.columns + column);
            Buffers::Loan loan(*m_buffers);
            const at::Tensor piece = loan.bytes()
                                         .narrow(0, 0, count * static_cast<std::int64_t>(size))
                                         .view(source.stored);
            source.fill(window, piece.data_ptr());
            // A window of several rows is whole rows: its values lie together at both ends.
            enqueue(order, [to = flat.narrow(0, first, count), piece] {
                to.copy_(piece, /*non_blocking=*/true);
            });
            loan.until(markOf(order));
        }
    }
}

}  // namespace moescope::engine
