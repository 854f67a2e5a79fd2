// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace moescope::engine {

/// Memory that weights are read into, used again for those that come after. The lane that reads
/// ahead gets no further than there is room. Thread-safe.
class WeightBuffers {
public:
    /// `bytes` in all; they become resident as they are used.
    explicit WeightBuffers(std::uint64_t bytes);
    ~WeightBuffers();
    WeightBuffers(const WeightBuffers&) = delete;
    WeightBuffers& operator=(const WeightBuffers&) = delete;

    /// Memory for direct reads (DirectFile::kAlignment), given back with its last owner, which may
    /// outlive this object. Waits for room; does not wait while anybody is Urgent: then what does
    /// not fit is allocated beside it. Throws Error(Cancelled) after close().
    [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t size);
    /// Nobody will need weights any more: whoever waits for room is let go.
    void close();

    /// Says, as long as it lives, that the computation waits for a weight that is being read.
    class Urgent {
    public:
        explicit Urgent(WeightBuffers& buffers);
        ~Urgent();
        Urgent(const Urgent&) = delete;
        Urgent& operator=(const Urgent&) = delete;

    private:
        WeightBuffers& m_buffers;
    };

private:
    class Arena;
    std::shared_ptr<Arena> m_arena;
};

}  // namespace moescope::engine
