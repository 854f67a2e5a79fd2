// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/layer_pass.h"
#include "core/engine/opened_models.h"

#include <functional>
#include <vector>

namespace moescope::engine {

/// Takes a text through the model with one change after another. All branches go through a layer
/// together, so that its weights are read once for as many as memory allows at a time; a branch
/// begins at its first changed layer, with the intact model's residual stream. Thread-compatible.
class BranchPass {
public:
    struct Setup {
        const OpenedModel& model;
        ComputePlace place;
        PassLimits limits;
        bool residentExperts = true;
        bool decodeAhead = true;  ///< the next layer's weights while this one computes
        const text::TokenizedCorpus& corpus;
        std::size_t atOnce = 1;      ///< branches beside the intact stream
        std::function<void()> poll;  ///< throws to stop
        std::function<void()> step;  ///< a stream has left a layer: steps() times in all
        /// All logits of a branch have been given; may be empty.
        std::function<void(std::size_t)> done{};
    };
    explicit BranchPass(Setup setup) : m_setup(std::move(setup)) {}

    /// The intact model's logits come first, then those of each branch in order.
    void run(const std::vector<Intervention>& branches,
             const std::function<void(const LogitsBlock&)>& consumer);

    [[nodiscard]] std::uint64_t bytesRead() const { return m_bytesRead; }

    /// Logits that are formed at once, of a text of so many tokens.
    [[nodiscard]] static std::uint64_t logitBytes(const model::ModelSpec& model,
                                                  std::uint64_t tokens);
    /// The first layer that a branch changes; the number of layers if it changes none.
    [[nodiscard]] static int firstChanged(const Intervention& branch, int layers);
    /// How often a stream goes through a layer, all branches and the intact model together.
    [[nodiscard]] static std::uint64_t steps(const std::vector<Intervention>& branches, int layers,
                                             std::size_t atOnce);

private:
    struct Batch {
        std::size_t first = 0, end = 0;  ///< of the branches
        int intactUntil = 0;             ///< layers that the intact stream passes
    };
    [[nodiscard]] static std::vector<Batch> batches(const std::vector<Intervention>& branches,
                                                    int layers, std::size_t atOnce);
    void runBatch(const std::vector<Intervention>& branches, const Batch& batch,
                  const std::function<void(const LogitsBlock&)>& consumer);
    void passLayer(ModelRun& run, int layer, at::Tensor& hidden, const LayerIntervention* change);
    void emit(ModelRun& run, const at::Tensor& hidden, std::optional<std::size_t> branch,
              const std::function<void(const LogitsBlock&)>& consumer) const;

    Setup m_setup;
    std::uint64_t m_bytesRead = 0;
};

}  // namespace moescope::engine
