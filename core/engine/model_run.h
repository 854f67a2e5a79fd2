// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/attention.h"
#include "core/engine/device_allowance.h"
#include "core/engine/layer_weights.h"
#include "core/jobs/lane_worker.h"
#include "core/text/corpus.h"

#include <array>
#include <future>
#include <memory>
#include <optional>

namespace moescope::engine {

/// One model on its way through the layers: its weights of the current layer and the residual
/// stream of all tokens. Used for the model itself and for each baseline. Thread-compatible.
class ModelRun {
public:
    ModelRun(const checkpoint::Checkpoint& checkpoint, const model::ModelSpec& spec,
             ComputePlace place)
        : m_spec(spec), m_reader(checkpoint, place), m_ropes(place.options()) {}

    /// Fills `hidden` [T, d] with the embeddings.
    void embed(std::span<const text::TokenId> ids, at::Tensor& hidden);

    /// While it lives, the weights go to the device through a stream, read on a lane: a layer while
    /// the one before computes, and its experts as ExpertBatches has them, `expertsAtOnce` of them
    /// (from the memory plan) or fewer once the device's memory ran out. `relief` is of all that
    /// computes on the device. To be made after the lane and ended before it.
    class Streaming {
    public:
        Streaming(ModelRun& run, DeviceStream& stream, jobs::LaneWorker& lane, int expertsAtOnce,
                  Relief relief);
        ~Streaming();
        Streaming(const Streaming&) = delete;
        Streaming& operator=(const Streaming&) = delete;

    private:
        ModelRun& m_run;
    };
    /// What there is to do when memory runs out in a computation with the current layer; null
    /// without Streaming.
    [[nodiscard]] const Relief& relief() const;
    /// What a model can give up when memory runs out, what costs least first.
    enum class Spare {
        Ended,        ///< what the lane may hold still: layers that ended, experts computed with
        NextExperts,  ///< experts of the next layer
        Experts,      ///< half of the current layer's
        NextLayer,    ///< what else was read of the next layer
    };
    static constexpr std::array<Spare, 4> kSpares{Spare::Ended, Spare::NextExperts, Spare::Experts,
                                                  Spare::NextLayer};
    /// Whether there was any, which is gone now. Only with Streaming.
    [[nodiscard]] bool giveUp(Spare spare);

    /// For LayerParts::direct; `hold` as ExpertQueue says.
    void useBuffers(std::shared_ptr<WeightBuffers> buffers, DirectReads which, bool hold);
    /// Makes the layer's weights current, taking them from the read-ahead if it has them.
    void beginLayer(int layer, LayerParts parts);
    /// Loads the layer on the lane meanwhile; only page hints when `parts` is absent.
    void readAhead(int layer, std::optional<LayerParts> parts, jobs::LaneWorker& lane);
    [[nodiscard]] bool isReading(int layer) const { return m_next.valid() && m_nextLayer == layer; }
    /// Waits until all of the current layer's weights have been read and looked through.
    void finishReading();
    /// Drops the layer's weights and pages.
    void endLayer(int layer);

    /// Lets attention, or the DeltaNet in its place, over whole documents of `lengths` join
    /// `hidden`.
    void attend(at::Tensor& hidden, std::span<const std::uint64_t> lengths,
                const AttentionLimits& limits, const std::function<void()>& poll,
                const Relief& relief = {});
    /// The norm before the feed-forward of the current layer.
    [[nodiscard]] at::Tensor feedForwardInput(const at::Tensor& hidden) const;
    /// Lets the feed-forward's output join `hidden`, which then leaves the layer.
    void addFeedForward(at::Tensor& hidden, const at::Tensor& output) const;
    /// Logits [n, V] of the residual stream after the last layer, float32; loads norm and head on
    /// first use.
    [[nodiscard]] at::Tensor finalHidden(const at::Tensor& hidden);
    [[nodiscard]] at::Tensor logits(const at::Tensor& finalHidden);

    [[nodiscard]] const LayerWeights& weights() const { return *m_weights; }
    [[nodiscard]] const model::ModelSpec& spec() const { return m_spec; }
    /// Of the current layer.
    [[nodiscard]] ExpertSource experts(const std::function<void()>& poll);
    [[nodiscard]] const model::LayerSpec& layerSpec() const {
        return m_spec.layers.at(static_cast<std::size_t>(m_layer));
    }
    [[nodiscard]] WeightReader& reader() { return m_reader; }
    [[nodiscard]] const WeightReader& reader() const { return m_reader; }
    /// What was found wrong with the layer's weights.
    [[nodiscard]] std::vector<std::string> warnings(int layer) const;

private:
    struct LoadedLayer {
        LayerWeights weights;
        DeviceStream::Mark ready;
    };
    /// What Streaming needs.
    struct Streamed {
        DeviceStream& stream;
        jobs::LaneWorker& lane;
        DeviceAllowance allowance;
        Relief relief;
        bool hasEnded = false;  ///< since the lane was last waited for
    };
    [[nodiscard]] std::future<LoadedLayer> submit(int layer, LayerParts parts,
                                                  WeightReader::Load how, jobs::LaneWorker& lane);
    void beginStreamed(int layer, LayerParts parts);
    void readAheadStreamed(int layer, LayerParts parts);
    [[nodiscard]] std::unique_ptr<ExpertBatches> batchesOf(int layer);
    [[nodiscard]] bool letEndedGo();
    [[nodiscard]] bool dropNextLayer();
    void stopStreaming();

    const model::ModelSpec& m_spec;
    WeightReader m_reader;
    RopeTables m_ropes;
    int m_layer = -1;
    std::optional<LayerWeights> m_weights;
    ExpertQueue m_experts;  ///< of the current layer, those on their way
    int m_nextLayer = -1;
    std::future<LoadedLayer> m_next;
    ExpertQueue m_nextExperts;
    std::optional<Streamed> m_streamed;
    std::unique_ptr<ExpertBatches> m_batches, m_nextBatches;  ///< null at dense layers
    std::shared_ptr<WeightBuffers> m_buffers;
    bool m_holdExperts = true;
    Norm m_finalNorm;
    Linear m_head;
};

}  // namespace moescope::engine
