// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/layer_neurons.h"
#include "core/engine/layer_pass.h"
#include "core/engine/part_writer.h"
#include "core/engine/replica.h"
#include "core/engine/residual_keeper.h"
#include "core/engine/residual_streams.h"
#include "core/engine/run_plan.h"
#include "core/engine/run_progress.h"
#include "core/engine/run_watch.h"
#include "core/engine/unit_phase.h"
#include "core/engine/weight_stream.h"

#include <map>
#include <optional>
#include <set>
#include <stop_token>

namespace moescope::engine {

/// Carries out a plan: layer after layer, static probes first, then all tokens; parts go to the
/// writer as they are finished. Thread-compatible.
class Runner {
public:
    struct Setup {
        const RunRequest& request;
        const OpenedModels& models;
        std::vector<PlannedExperiment>& experiments;
        const RunPlan& plan;
        const text::TokenizedCorpus& corpus;
        const ResidualCheckpoint& residualCheckpoint;
        const std::filesystem::path& scratchFolder;
    };
    Runner(const Setup& setup, PartWriter& writer, Events& events, std::stop_token stop);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// All layers that have work. A plan whose forward pass does not begin at layer 0 takes the
    /// residual streams from the checkpoint.
    void run();
    /// Of the whole run: finished with it where nothing comes after the layers.
    [[nodiscard]] RunProgress& progress() { return m_progress; }

    [[nodiscard]] std::uint64_t bytesRead() const;
    [[nodiscard]] const PassLimits& limits() const { return m_limits; }
    [[nodiscard]] std::uint64_t peakMemory() const noexcept { return m_watch.peakMemory(); }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }

private:
    /// Of the first device: for what is not shared out.
    [[nodiscard]] const std::vector<std::unique_ptr<ModelRun>>& runs() const {
        return m_replicas.front()->runs();
    }
    /// What there is to do on any of the devices when memory runs out.
    [[nodiscard]] Relief relief() const;
    void startStreams();
    /// Calls visit(run) for every model of every device that passes the text.
    void forPassing(const std::function<void(ModelRun&)>& visit);
    [[nodiscard]] std::vector<int> layersToVisit() const;
    [[nodiscard]] bool isForward(int layer) const;
    [[nodiscard]] LayerParts partsOf(int layer) const;
    void visit(int layer, std::optional<int> next);
    void readAhead(int next);
    void expectSteps(int layer, const LayerContext* context);
    [[nodiscard]] bool isStored(const LayerContext& context, const LayerWork& work) const;
    void staticPhase(const LayerContext& context, const LayerWork& work);
    void unitPhase(const LayerContext& context, const LayerWork& work);
    /// What units read a layer's neurons from, in the order in which UnitPhase tries them.
    [[nodiscard]] std::vector<std::shared_ptr<const NeuronSource>> neuronSources(
        const LayerContext& context);
    [[nodiscard]] std::vector<ColumnWeights> columnWeights(const LayerContext& context);
    [[nodiscard]] UnitJournal& journalOf(const PlannedExperiment& experiment);
    void tokensPhase(const LayerContext* context, const LayerWork& work);
    void finishLayer(int layer);
    /// Of the current layer: told, and kept with its parts.
    void warnOfLayer(const std::string& warning);
    void warn(const std::string& warning);
    void noteWarnings(int layer);
    void keepResidual(int nextLayer);
    /// Called between blocks: watches and moves progress.
    void poll();
    /// To the layer's part of the experiment.
    void add(const PlannedExperiment& experiment, session::Part part);

    Setup m_setup;
    PartWriter& m_writer;
    Events& m_events;
    RunWatch m_watch;
    std::shared_ptr<WeightBuffers> m_buffers;  ///< null: weights are used where mapped
    std::vector<Stretch> m_stretches;
    std::unique_ptr<ResidualStreams> m_streams;
    std::vector<std::unique_ptr<Replica>> m_replicas;  ///< one for each device
    std::vector<const model::ModelSpec*> m_baselineSpecs;
    std::vector<DeviceModels> m_devices;   ///< what of them passes the text
    std::vector<ColumnOutputs> m_outputs;  ///< by lane, where the plan keeps their memory
    PassLimits m_limits;
    RunProgress m_progress;
    std::map<std::string, UnitJournal> m_journals;  ///< by experiment
    std::vector<session::Part> m_parts;             ///< of the current layer, one per experiment
    std::vector<std::string> m_layerWarnings;
    std::vector<std::string> m_warnings;
    bool m_residualIsFinite = true;
    ResidualKeeper m_keeper;
};

}  // namespace moescope::engine
