// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace moescope::engine {

/// The residual streams of an unfinished run in two alternating files beside its parts, so that it
/// goes on at the layer where it was stopped. Each file is complete or absent: written under a
/// temporary name, flushed and renamed. Thread-compatible.
class ResidualCheckpoint {
public:
    using Stream = std::span<std::byte>;
    using ConstStream = std::span<const std::byte>;

    /// `fingerprint` says what the streams belong to; files with another one are not used.
    ResidualCheckpoint(std::filesystem::path folder, std::string fingerprint);

    /// Layers whose input is kept, newest first.
    [[nodiscard]] std::vector<int> layers() const;
    /// Whether that layer's file holds this many streams and bytes.
    [[nodiscard]] bool holds(int layer, std::uint64_t streams, std::uint64_t bytes) const;
    /// Fills the streams with the input of `layer`; false when the file does not hold them whole.
    [[nodiscard]] bool load(int layer, std::span<const Stream> streams) const;
    /// The same piece by piece: `fill` calls what it gets for consecutive pieces, `bytes` in all.
    using Take = std::function<void(Stream)>;
    [[nodiscard]] bool load(int layer, std::uint64_t streams, std::uint64_t bytes,
                            const std::function<void(const Take&)>& fill) const;
    /// Keeps the streams as the input of `layer`, in place of the older file. Throws
    /// Error(DiskFull | FileUnwritable).
    void save(int layer, std::span<const ConstStream> streams) const;
    /// The same piece by piece; what `give` throws leaves the older files as they are.
    using Put = std::function<void(ConstStream)>;
    void save(int layer, std::uint64_t streams, std::uint64_t bytes,
              const std::function<void(const Put&)>& give) const;
    void remove() const;

private:
    [[nodiscard]] std::filesystem::path fileOf(int layer) const;
    struct Found {
        int layer = 0;
        std::uint64_t streams = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] std::optional<Found> find(const std::filesystem::path& file) const;

    std::filesystem::path m_folder;
    std::string m_fingerprint;
};

/// Memory backed by a file that has no name any more: it goes with the process. Move-only.
class ScratchMemory {
public:
    /// Throws Error(DiskFull | FileUnwritable).
    ScratchMemory(const std::filesystem::path& folder, std::uint64_t bytes);
    ~ScratchMemory();
    ScratchMemory(const ScratchMemory&) = delete;
    ScratchMemory& operator=(const ScratchMemory&) = delete;
    [[nodiscard]] std::byte* data() const noexcept { return m_data; }

private:
    std::byte* m_data = nullptr;
    std::uint64_t m_bytes = 0;
};

}  // namespace moescope::engine
