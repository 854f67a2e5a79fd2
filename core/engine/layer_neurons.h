// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/weight_stream.h"

#include <vector>

namespace moescope::engine {

/// A layer's neurons from where its columns are mapped; nothing is held between reads.
class LayerNeurons final : public NeuronSource {
public:
    LayerNeurons(std::vector<ColumnWeights> columns, int hiddenSize, at::Device device,
                 std::uint64_t tileBytes = kTileBytes)
        : m_columns(std::move(columns)),
          m_hiddenSize(hiddenSize),
          m_device(device),
          m_tileBytes(tileBytes) {}

    [[nodiscard]] at::Tensor read(int column, Role role, std::uint64_t first,
                                  std::uint64_t count) const override;
    [[nodiscard]] std::uint64_t tileBytes() const override { return m_tileBytes; }

private:
    std::vector<ColumnWeights> m_columns;
    int m_hiddenSize;
    at::Device m_device;
    std::uint64_t m_tileBytes;
};

}  // namespace moescope::engine
