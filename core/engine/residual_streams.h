// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/residual_checkpoint.h"
#include "core/engine/text_split.h"
#include "core/engine/weight_reader.h"

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace moescope::engine {

/// The residual streams of the model and its baselines, in memory or in a scratch file; kept and
/// brought back through a ResidualCheckpoint in the text's order, [T, d] each, however the text is
/// shared out among devices. Thread-compatible.
class ResidualStreams {
public:
    struct Setup {
        std::vector<int> hiddenSizes;     ///< of the models
        std::vector<at::Device> devices;  ///< at least one
        std::vector<Stretch> stretches;   ///< splitText() among them
        at::ScalarType dtype = at::kFloat;
    };
    /// `scratchFolder` empty: in memory. Else in main memory's place, of a single device.
    ResidualStreams(Setup setup, const std::filesystem::path& scratchFolder);

    /// [tokens of the part, d]
    [[nodiscard]] at::Tensor& at(std::size_t model, std::size_t part) {
        return m_streams[model][part];
    }
    /// In main memory at a time of what lies on a device.
    static constexpr std::uint64_t kCopyBytes = std::uint64_t{4} << 20U;
    void save(const ResidualCheckpoint& checkpoint, int layer) const;
    [[nodiscard]] bool load(const ResidualCheckpoint& checkpoint, int layer);
    /// Whether the first model's streams are free of NaN and infinity.
    [[nodiscard]] bool isFinite() const;

private:
    /// Calls visit(some rows) for all of a model's rows in the text's order, as many as may be
    /// copied.
    template <typename Visit>
    void forRows(std::size_t model, Visit visit) const;
    [[nodiscard]] std::uint64_t bytes() const;

    Setup m_setup;
    std::vector<std::unique_ptr<ScratchMemory>> m_scratch;
    std::vector<std::vector<at::Tensor>> m_streams;  // by model and part
};

}  // namespace moescope::engine
