// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/feed_forward.h"
#include "core/engine/intervention.h"
#include "core/engine/model_run.h"
#include "core/engine/moe_block.h"
#include "core/engine/probe.h"

#include <functional>
#include <utility>
#include <vector>

namespace moescope::engine {

/// How much a pass forms at once.
struct PassLimits {
    std::uint64_t blockTokens = 1024;  ///< through the feed-forward
    AttentionLimits attention;
    /// Blocks of tokens, and groups of documents, computed side by side, each in one thread.
    int lanes = 1;
};

/// A model with its residual stream.
struct ModelStream {
    ModelRun* model = nullptr;
    at::Tensor hidden;  ///< [T, d], changed in place
};

/// Takes all documents through one layer whose weights are current: attention document by
/// document, then the feed-forward in blocks of tokens; the baselines go along on their own
/// residual streams. Several lanes compute blocks side by side; consumers get them in order from
/// the thread that called, and the number of lanes changes no result. Thread-compatible.
class LayerPass {
public:
    using Poll = std::function<void()>;  ///< called between blocks; throws to stop
    /// What gets each block of a routed layer, and the activations before it where they are needed.
    struct Consumer {
        std::function<void(const TokenBlock&)> block;
        std::function<void(const ActivationBlock&)> activations;
    };

    /// `kept`: memory for all experts' outputs, by lane, that outlives this pass; null: it does
    /// not.
    LayerPass(ModelStream& model, std::vector<ModelStream>& baselines,
              std::span<const std::uint64_t> offsets, const PassLimits& limits, Poll poll,
              std::vector<ColumnOutputs>* kept = nullptr)
        : m_model(model),
          m_baselines(baselines),
          m_offsets(offsets),
          m_limits(limits),
          m_poll(std::move(poll)),
          m_kept(kept) {}

    /// `context` is null at dense layers; `consumer` gets each block of a routed one with what
    /// `needs` asks for. `change` may be null.
    void run(const LayerContext* context, const DynamicNeeds& needs,
             const LayerIntervention* change, const Consumer& consumer);

    /// Its second half, without attention.
    void feedForwardBlocks(const LayerContext* context, const DynamicNeeds& needs,
                           const LayerIntervention* change, const Consumer& consumer);

private:
    /// A block of tokens on its way.
    struct Block {
        std::int64_t first = 0, count = 0;
        at::Tensor input, norms;
        MoeBlock::Result result;
        ChosenOutputSizes sizes;
        std::vector<std::pair<int, at::Tensor>> activations;  ///< kept until it is its turn
    };
    /// What blocks of a layer share.
    struct Work {
        const LayerContext* context;  ///< null: a dense layer
        const DynamicNeeds& needs;
        const LayerIntervention* change;
        const Consumer& consumer;
    };
    void attend(ModelStream& stream) const;
    /// Calls compute(i) for each i of [0, count), on the lanes.
    void onLanes(std::size_t count, const std::function<void(std::size_t)>& compute) const;
    /// Through the layer, in a lane or (`alone`) in the caller's thread.
    void compute(Block& block, const Work& work, ColumnOutputs& columns, bool alone);
    void routedBlock(Block& block, const Work& work, ColumnOutputs& columns, bool alone);
    void deliver(const Block& block, const Work& work, const ColumnOutputs& columns) const;
    /// The dense feed-forward of a stream on a block, added to its residual stream and returned.
    [[nodiscard]] static at::Tensor denseBlock(ModelStream& stream, std::int64_t first,
                                               std::int64_t count, const ActivationSink& sink = {});

    ModelStream& m_model;
    std::vector<ModelStream>& m_baselines;
    std::span<const std::uint64_t> m_offsets;
    PassLimits m_limits;
    Poll m_poll;
    std::vector<ColumnOutputs>* m_kept;
};

}  // namespace moescope::engine
