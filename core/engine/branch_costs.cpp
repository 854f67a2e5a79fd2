// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/branch_costs.h"

#include "core/engine/branch_pass.h"
#include "core/engine/run_effort.h"
#include "core/engine/run_notes.h"
#include "core/engine/text_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace moescope::engine {
namespace {

/// What branches cost on their way through the model.
struct PassesCost {
    std::uint64_t bytes = 0;
    double seconds = 0.0;
};

/// What is read before the first layer and after the last.
std::uint64_t endsBytes(const OpenedModels& models, const WeightReader& reader,
                        const text::TokenizedCorpus& corpus) {
    const model::ModelSpec& spec = models.model->spec;
    std::uint64_t bytes = embeddingBytes(models, corpus, false);
    for (const model::TensorRef* ref :
         {&spec.finalNormName, &spec.finalNormBias, &spec.head.weight, &spec.head.bias}) {
        bytes += reader.storedBytes(*ref);
    }
    return bytes + (spec.tiedHead ? reader.storedBytes(spec.embeddingName) : 0);
}

/// What a layer asks of a text that passes it with nothing but the chosen experts.
std::vector<LayerEffort> plainEfforts(const RunPlan& plan, const OpenedModels& models,
                                      const text::TokenizedCorpus& corpus) {
    const model::ModelSpec& spec = models.model->spec;
    RunPlan plain;
    plain.place = plan.place;
    plain.devices = plan.devices;
    plain.memory = plan.memory;
    plain.endForward = spec.layerCount();
    plain.work.resize(spec.layers.size());
    for (std::size_t l = 0; l < plain.work.size(); ++l) {
        plain.work[l].layer = static_cast<int>(l);
    }
    return layerEfforts(plain, models, corpus);
}

/// The text through the layers, as often as branches take it there, and then through the head. A
/// batch reads each layer once; experts that do not fit together come again for every block of
/// every stream.
PassesCost costPasses(const RunPlan& plan, const OpenedModels& models,
                      const text::TokenizedCorpus& corpus,
                      const std::vector<Intervention>& branches, std::size_t atOnce,
                      const Calibration& calibration) {
    const model::ModelSpec& spec = models.model->spec;
    const std::uint64_t rounds =
        std::max<std::uint64_t>((branches.size() + atOnce - 1) / atOnce, 1);
    const std::uint64_t most = mostTokens(corpus.offsets, plan.devices.size());
    const std::uint64_t step = std::max<std::uint64_t>(plan.memory.blockTokens, 1);
    const std::uint64_t blocks = std::max<std::uint64_t>((most + step - 1) / step, 1);
    const std::vector<LayerEffort> efforts = plainEfforts(plan, models, corpus);
    const double lanes = lanesOf(plan, corpus);
    const auto passes = BranchPass::passes(branches, spec.layerCount(), atOnce);
    const WeightReader reader(models.model->checkpoint, plan.place);
    PassesCost result{rounds * endsBytes(models, reader, corpus), 0.0};
    for (std::size_t l = 0; l < efforts.size(); ++l) {
        LayerEffort all = efforts[l];
        all.attention = static_cast<double>(passes[l]) * all.attention;
        all.feedForward = static_cast<double>(passes[l]) * all.feedForward;
        const std::uint64_t readings = plan.memory.residentExperts ? rounds : passes[l] * blocks;
        all.bytes = rounds * (all.bytes - std::min(all.bytes, all.expertBytes)) +
                    readings * all.expertBytes;
        result.bytes += all.bytes;
        result.seconds += expectedSeconds(all, 1, false, calibration, lanes).total();
    }
    const auto tokens = static_cast<double>(corpus.ids.size());
    const auto vocabulary = static_cast<double>(spec.vocabSize);
    constexpr double kLogitPasses = 8.0;
    const Effort head{.modelOperations = 2.0 * tokens * vocabulary * spec.hiddenSize,
                      .elements = kLogitPasses * tokens * vocabulary};
    result.seconds += secondsOf(head, calibration) * (1.0 + static_cast<double>(branches.size()));
    return result;
}

/// Results of branches come when their batch is through: in several, where there are many, so that
/// a run shows something and loses little when it is stopped; but each batch reads the model again,
/// which has to be little beside what passes meanwhile.
constexpr std::uint64_t kBatches = 8;
constexpr std::uint64_t kSmallestBatch = 8;
constexpr std::uint64_t kTokensPerReading = 16384;

std::set<std::size_t> recalledOf(const PlannedExperiment& experiment, std::size_t probe) {
    return probe < experiment.recalled.size() ? experiment.recalled[probe]
                                              : std::set<std::size_t>();
}

/// How many there were.
std::size_t leaveOut(const std::set<std::size_t>& places, std::vector<Intervention>& branches) {
    std::vector<Intervention> left;
    left.reserve(branches.size());
    for (std::size_t b = 0; b < branches.size(); ++b) {
        if (!places.contains(b)) {
            left.push_back(std::move(branches[b]));
        }
    }
    std::swap(branches, left);
    return left.size() - branches.size();
}

/// Costs one probe after the other.
class BranchCosting {
public:
    BranchCosting(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  const text::TokenizedCorpus& passed, const Calibration& calibration)
        : m_plan(plan),
          m_models(models),
          m_spec(models.model->spec),
          m_corpus(corpus),
          m_passed(passed),
          m_calibration(calibration),
          m_reserved(branchState(plan, m_spec, corpus)),
          // On several devices the one with most of the text decides.
          m_stream(streamBytes(plan, models,
                               plan.memory.streamed()
                                   ? mostTokens(passed.offsets, plan.devices.size())
                                   : passed.ids.size())) {}

    void add(PlannedExperiment& experiment, std::size_t index) {
        const BranchProbe& probe = *experiment.probes.branches[index];
        std::vector<Intervention> branches = probe.branches(m_spec);
        const std::size_t recalled = leaveOut(recalledOf(experiment, index), branches);
        const std::uint64_t state = probe.stateBytes(m_spec, m_corpus.ids.size());
        experiment.branchesAtOnce = atOnce(branches.size(), state);
        takeMemory(experiment.branchesAtOnce, state);
        const PassesCost passing = costPasses(m_plan, m_models, m_passed, branches,
                                              experiment.branchesAtOnce, m_calibration);
        Estimate& result = m_plan.estimate;
        m_plan.branchStages.push_back(
            {fmt::format("{}, {} branches", experiment.info->title, branches.size()),
             passing.seconds});
        result.seconds += passing.seconds;
        result.readBytes += passing.bytes;
        const std::uint64_t part = probe.partBytes(m_spec, m_corpus.ids.size());
        result.experiments.push_back({std::string(experiment.info->id), passing.seconds,
                                      (experiment.branchesAtOnce + 1) * m_stream + state, part});
        // As parts, joined into the session, and in the journal of what takes long.
        result.diskBytes += 3 * part;
        note(experiment, branches, recalled, passing.seconds);
        if (const std::string kept = probe.keptNote(m_spec, m_corpus); !kept.empty()) {
            result.notes.push_back(fmt::format("{}: {}", experiment.info->id, kept));
        }
    }

private:
    /// How many branches pass beside the intact model.
    [[nodiscard]] std::size_t atOnce(std::size_t branches, std::uint64_t state) const {
        const MemoryPlan& memory = m_plan.memory;
        const std::uint64_t budget =
            memory.streamed() ? memory.deviceBudget : m_plan.estimate.budgetBytes;
        const std::uint64_t taken =
            memory.streamed() ? memory.deviceBytes : memory.peakBytes - m_reserved + state;
        const std::uint64_t room = budget - std::min(budget, taken);
        // The plan keeps room for the least.
        const std::uint64_t fitting = kLeastStreams + room / std::max<std::uint64_t>(m_stream, 1);
        const std::uint64_t all = std::max<std::uint64_t>(branches, 1);
        const std::uint64_t most = std::min(
            all, std::max({(all + kBatches - 1) / kBatches, kSmallestBatch,
                           kTokensPerReading / std::max<std::uint64_t>(m_passed.ids.size(), 1)}));
        return static_cast<std::size_t>(std::min(fitting, most + 1) - 1);
    }

    void takeMemory(std::size_t atOnce, std::uint64_t state) {
        const MemoryPlan& memory = m_plan.memory;
        Estimate& result = m_plan.estimate;
        const std::uint64_t streams = (atOnce + 1 - kLeastStreams) * m_stream;
        const std::uint64_t own = memory.peakBytes - m_reserved + state;
        if (memory.streamed()) {
            result.memoryBytes = std::max(result.memoryBytes, own);
            result.deviceBytes = std::max(result.deviceBytes, memory.deviceBytes + streams);
        } else {
            result.memoryBytes = std::max(result.memoryBytes, own + streams);
        }
    }

    void note(const PlannedExperiment& experiment, const std::vector<Intervention>& branches,
              std::size_t recalled, double seconds) {
        const std::size_t step = experiment.branchesAtOnce;
        const std::size_t rounds = (branches.size() + step - 1) / step;
        m_plan.estimate.notes.push_back(fmt::format(
            "{}: {} branch{} beside the intact model{}, {} at once, {} passes of the text "
            "through a layer, about {}; the model is read {} for them{}",
            experiment.info->id, branches.size(), branches.size() == 1 ? "" : "es",
            recalled > 0 ? fmt::format(" ({} more are in the session)", recalled) : "", step,
            BranchPass::steps(branches, m_spec.layerCount(), step), roughly(seconds),
            rounds <= 1 ? std::string("once more") : fmt::format("{} times more", rounds),
            m_plan.memory.residentExperts ? "" : ", its experts again for each block of tokens"));
    }

    RunPlan& m_plan;
    const OpenedModels& m_models;
    const model::ModelSpec& m_spec;
    const text::TokenizedCorpus& m_corpus;
    const text::TokenizedCorpus& m_passed;
    const Calibration& m_calibration;
    std::uint64_t m_reserved;  ///< for probes, in the plan's peak
    std::uint64_t m_stream;    ///< bytes of one, on a device that holds it
};

}  // namespace

std::uint64_t streamBytes(const RunPlan& plan, const OpenedModels& models, std::uint64_t tokens) {
    const std::uint64_t size = plan.place.dtype == at::kFloat ? 4 : 2;
    return tokens * static_cast<std::uint64_t>(models.model->spec.hiddenSize) * size;
}

std::uint64_t branchState(const RunPlan& plan, const model::ModelSpec& spec,
                          const text::TokenizedCorpus& corpus) {
    std::uint64_t most = 0;
    for (const PlannedExperiment* experiment : plan.branching) {
        for (const auto& probe : experiment->probes.branches) {
            most = std::max(most, probe->stateBytes(spec, corpus.ids.size()));
        }
    }
    return most;
}

void costBranches(RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
                  const text::TokenizedCorpus& passed, const Calibration& calibration) {
    plan.branchStages.clear();
    if (plan.branching.empty()) {
        return;
    }
    BranchCosting costing(plan, models, corpus, passed, calibration);
    for (PlannedExperiment* experiment : plan.branching) {
        for (std::size_t probe = 0; probe < experiment->probes.branches.size(); ++probe) {
            costing.add(*experiment, probe);
        }
    }
}

}  // namespace moescope::engine
