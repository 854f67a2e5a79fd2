// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/residual_checkpoint.h"
#include "core/engine/weight_reader.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace moescope::engine {

/// The residual streams of the model and its baselines, [T, d] each, in memory or in a scratch
/// file; kept and brought back through a ResidualCheckpoint. Thread-compatible.
class ResidualStreams {
public:
    /// `scratchFolder` empty: in memory.
    ResidualStreams(std::uint64_t tokens, const std::vector<int>& hiddenSizes,
                    const ComputePlace& place, const std::filesystem::path& scratchFolder);

    [[nodiscard]] at::Tensor& at(std::size_t stream) { return m_streams[stream]; }
    void save(const ResidualCheckpoint& checkpoint, int layer) const;
    [[nodiscard]] bool load(const ResidualCheckpoint& checkpoint, int layer);
    /// Whether the first stream is free of NaN and infinity.
    [[nodiscard]] bool isFinite() const;

private:
    std::vector<std::unique_ptr<ScratchMemory>> m_scratch;
    std::vector<at::Tensor> m_streams;
};

}  // namespace moescope::engine
