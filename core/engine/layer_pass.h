// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/feed_forward.h"
#include "core/engine/intervention.h"
#include "core/engine/model_run.h"
#include "core/engine/moe_block.h"
#include "core/engine/probe.h"
#include "core/engine/text_split.h"

#include <functional>
#include <mutex>
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

/// The models on one device. On several each has its own documents.
struct DeviceModels {
    ModelStream model;
    std::vector<ModelStream> baselines;
};

/// Takes all documents through one layer whose weights are current: attention document by
/// document, then the feed-forward in blocks of tokens; the baselines go along on their own
/// residual streams. Several lanes compute blocks side by side, or several devices each its own;
/// consumers get them in order from the thread that called, on the device that computed them, and
/// the number of lanes changes no result. Thread-compatible.
class LayerPass {
public:
    using Poll = std::function<void()>;  ///< called between blocks; throws to stop
    /// What gets each block of a routed layer, and the activations before it where they are needed,
    /// with what there is to do when memory runs out on the device that computed them.
    struct Consumer {
        std::function<void(const TokenBlock&, const Relief&)> block;
        std::function<void(const ActivationBlock&, const Relief&)> activations;
    };

    struct Setup {
        std::span<DeviceModels> devices;
        std::span<const Stretch> stretches;      ///< splitText() of the text among them
        std::span<const std::uint64_t> offsets;  ///< of the text's documents
        PassLimits limits;
        Poll poll;  ///< also from threads of the devices', one at a time
        /// Memory for all experts' outputs, by lane, that outlives this pass; null: it does not.
        std::vector<ColumnOutputs>* kept = nullptr;
    };
    explicit LayerPass(Setup setup) : m_setup(std::move(setup)) {}

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
        std::size_t part = 0;
        std::uint64_t firstToken = 0;
        std::int64_t firstRow = 0, count = 0;
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
        const Poll& poll;  ///< called in the thread that computes
    };
    /// Documents whose attention is computed together.
    struct Group {
        std::size_t part = 0;
        std::uint64_t firstRow = 0;
        std::vector<std::uint64_t> lengths;
    };
    [[nodiscard]] std::vector<Group> groups() const;
    [[nodiscard]] std::vector<Block> blocks() const;
    void attend() const;
    /// The poll for devices, which call it from threads of their own.
    [[nodiscard]] Poll inTurns(std::mutex& mutex) const;
    void attend(DeviceModels& models, const Group& group, const Poll& poll) const;
    /// Calls compute(i) for each i of [0, count), on as many lanes.
    static void onLanes(int lanes, std::size_t count,
                        const std::function<void(std::size_t)>& compute);
    /// Through the layer, in a lane or (`alone`) in the caller's thread.
    void compute(Block& block, const Work& work, ColumnOutputs& columns, bool alone) const;
    void routedBlock(Block& block, const Work& work, ColumnOutputs& columns, bool alone) const;
    void deliver(const Block& block, const Work& work, const ColumnOutputs& columns) const;
    /// The dense feed-forward of a stream on a block, added to its residual stream and returned.
    [[nodiscard]] static at::Tensor denseBlock(const Relief& relief, ModelStream& stream,
                                               const Block& block, const ActivationSink& sink = {});
    /// How many blocks are computed side by side.
    [[nodiscard]] std::size_t atOnce() const;

    Setup m_setup;
};

}  // namespace moescope::engine
