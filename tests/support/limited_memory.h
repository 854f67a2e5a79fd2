// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>

namespace moescope::tests {

/// While it lives, LibTorch's tensors in main memory may take so many bytes more together: what
/// would be too much is refused as a device's allocator refuses it. Pieces that only a host would
/// be asked for (4 MiB and more: staging buffers) do not count. One at a time.
class LimitedMemory {
public:
    explicit LimitedMemory(std::uint64_t bytes);
    ~LimitedMemory();
    LimitedMemory(const LimitedMemory&) = delete;
    LimitedMemory& operator=(const LimitedMemory&) = delete;

    /// So many from now on.
    void allow(std::uint64_t bytes);
    /// Threads that ask for memory wait for up to a fraction of a millisecond, each time for
    /// another: which of several is first is left to chance, and to `seed`.
    void stagger(std::uint64_t seed);

    [[nodiscard]] std::uint64_t taken() const;     ///< bytes that are taken now
    [[nodiscard]] std::uint64_t most() const;      ///< bytes that were taken together
    [[nodiscard]] std::uint64_t refusals() const;  ///< how often it was too much
};

}  // namespace moescope::tests
