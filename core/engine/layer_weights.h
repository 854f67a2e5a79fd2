// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/device_memory.h"
#include "core/engine/expert_batches.h"
#include "core/engine/expert_queue.h"
#include "core/engine/weight_reader.h"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace moescope::engine {

/// One layer's weights in the compute type. Experts are there when they are held for the whole
/// layer; otherwise they come one by one through ExpertSource.
struct LayerWeights {
    Norm attentionNorm, feedForwardNorm;
    ResidualJoin attentionJoin, feedForwardJoin;
    at::Tensor scalar;  ///< [1] in the compute type or undefined: of what leaves the layer
    AttentionWeights attention;
    DeltaNetWeights delta;  ///< in place of attention
    FeedForward dense;      ///< dense layers
    Router router;          ///< routed layers
    FeedForward shared;     ///< where the spec has shared experts
    Linear sharedGate;      ///< where their output is gated
    Norm routedOutputNorm, sharedInputNorm, sharedOutputNorm;  ///< MoeSpec::separateNorms
    std::vector<FeedForward> experts;                          ///< empty when streamed
};

/// What of a layer is loaded at once.
struct LayerParts {
    bool attention = true;    ///< attention and norms: everything but the feed-forward
    bool feedForward = true;  ///< dense, router and shared experts
    bool experts = true;
    /// Past the page cache into buffers, experts one after another while the layer computes.
    bool direct = false;
};

[[nodiscard]] LayerWeights loadLayer(WeightReader& reader, const model::ModelSpec& model, int layer,
                                     LayerParts parts, WeightReader::Load how);

/// Gives experts to the mixture block, held, on their way or loaded as they are asked for. `poll`
/// is called before each and may throw: with large experts a block of tokens takes long.
class ExpertSource {
public:
    ExpertSource(const LayerWeights& weights, ExpertQueue& coming, WeightReader& reader,
                 const model::LayerSpec& layer, const std::function<void()>& poll)
        : m_weights(weights), m_coming(coming), m_reader(reader), m_layer(layer), m_poll(poll) {}
    /// Those of a device come in batches, and there is something to do when its memory runs out.
    void useDevice(ExpertBatches& batches, Relief relief) {
        m_batches = &batches;
        m_relief = std::move(relief);
    }

    [[nodiscard]] FeedForward get(int expert) const;
    /// How many experts from this one on can be had together.
    [[nodiscard]] int together(int expert) const;
    /// Some of those; polls once.
    [[nodiscard]] std::vector<FeedForward> get(std::span<const int> experts) const;
    /// Which of a layer's experts get() will be called for, until this is called again.
    void expect(std::vector<bool> wanted) const;
    /// Null where memory that runs out is an error at once.
    [[nodiscard]] const Relief& relief() const { return m_relief; }

private:
    const LayerWeights& m_weights;
    ExpertQueue& m_coming;
    WeightReader& m_reader;
    const model::LayerSpec& m_layer;
    const std::function<void()>& m_poll;
    ExpertBatches* m_batches = nullptr;
    Relief m_relief;
};

}  // namespace moescope::engine
