// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/layer_pass.h"
#include "core/engine/opened_models.h"
#include "core/engine/replica.h"

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
        std::vector<at::Device> devices;  ///< which share the documents
        at::ScalarType dtype = at::kFloat;
        PassLimits limits;
        const MemoryPlan& memory;
        const text::TokenizedCorpus& corpus;
        std::size_t atOnce = 1;      ///< branches beside the intact stream
        std::function<void()> poll;  ///< throws to stop
        std::function<void()> step;  ///< a stream has left a layer: steps() times in all
        /// All logits of a branch have been given; may be empty.
        std::function<void(std::size_t)> done{};
    };
    explicit BranchPass(Setup setup);

    /// The intact model's logits come first, then those of each branch in order.
    void run(const std::vector<Intervention>& branches,
             const std::function<void(const LogitsBlock&)>& consumer);

    [[nodiscard]] std::uint64_t bytesRead() const { return m_bytesRead; }

    /// Logits that are formed at once, of a text of so many tokens.
    [[nodiscard]] static std::uint64_t logitBytes(const model::ModelSpec& model,
                                                  std::uint64_t tokens);
    /// The first layer that a branch changes; the number of layers if it changes none.
    [[nodiscard]] static int firstChanged(const Intervention& branch, int layers);
    /// How often a stream goes through each layer, all branches and the intact model together.
    [[nodiscard]] static std::vector<std::uint64_t> passes(
        const std::vector<Intervention>& branches, int layers, std::size_t atOnce);
    /// The same of all layers.
    [[nodiscard]] static std::uint64_t steps(const std::vector<Intervention>& branches, int layers,
                                             std::size_t atOnce);

private:
    struct Batch {
        std::size_t first = 0, end = 0;  ///< of the branches
        int intactUntil = 0;             ///< layers that the intact stream passes
    };
    [[nodiscard]] static std::vector<Batch> batches(const std::vector<Intervention>& branches,
                                                    int layers, std::size_t atOnce);
    /// Hidden states of the text, by device.
    using Stream = std::vector<at::Tensor>;
    using Consumer = std::function<void(const LogitsBlock&)>;
    [[nodiscard]] const model::ModelSpec& spec() const { return m_setup.model.spec; }
    void runBatch(const std::vector<Intervention>& branches, const Batch& batch,
                  const Consumer& consumer);
    [[nodiscard]] Stream embedded();
    [[nodiscard]] Stream copied(const Stream& stream);
    void passLayer(int layer, Stream& stream, const LayerIntervention* change);
    void emit(const Stream& stream, std::optional<std::size_t> branch, const Consumer& consumer);

    Setup m_setup;
    std::vector<Stretch> m_stretches;
    std::vector<std::unique_ptr<Replica>> m_replicas;  ///< of the batch at work
    std::uint64_t m_bytesRead = 0;
};

}  // namespace moescope::engine
