// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::engine {
namespace {

constexpr std::uint64_t kUnitsPerLayer = 1000;
constexpr const char* kFinishedBefore = "finished before";
/// A layer whose results are not written yet is not done.
constexpr double kBeforeWriting = 0.99;

std::string stageOf(int layer, const RunPlan& plan) {
    return fmt::format("layer {}/{}", layer + 1, plan.work.size());
}

std::vector<jobs::PlannedStage> stagesOf(const RunPlan& plan, const std::vector<int>& layers) {
    std::vector<jobs::PlannedStage> stages;
    stages.reserve(layers.size() + plan.branchStages.size() + 1);
    if (plan.doneSeconds > 0.0) {
        stages.push_back({kFinishedBefore, plan.doneSeconds});
    }
    for (const int layer : layers) {
        stages.push_back(
            {stageOf(layer, plan), plan.seconds[static_cast<std::size_t>(layer)].total()});
    }
    for (const BranchStage& stage : plan.branchStages) {
        stages.push_back({stage.name, stage.seconds});
    }
    return stages;
}

}  // namespace

RunProgress::RunProgress(const RunPlan& plan, const std::vector<int>& layers, Events& events)
    : m_plan(plan),
      m_progress(
          [&events](const jobs::ProgressEvent& progress) {
              session::RunEvent event;
              event.kind = session::RunEvent::Kind::Progress;
              event.stage = progress.stage;
              event.fraction = progress.fraction;
              event.remainingSeconds = progress.remainingSeconds;
              events.send(event);
          },
          stagesOf(plan, layers)) {
    if (plan.doneSeconds > 0.0) {
        m_progress.begin(kFinishedBefore, 1, 1);
    }
}

void RunProgress::beginLayer(int layer) {
    m_phases.clear();
    m_units = 0;
    m_seconds = m_plan.seconds[static_cast<std::size_t>(layer)];
    m_progress.begin(stageOf(layer, m_plan), kUnitsPerLayer);
}

void RunProgress::expect(Phase phase, double steps) {
    const double seconds = phase == Phase::Statics     ? m_seconds.statics
                           : phase == Phase::Units     ? m_seconds.units
                           : phase == Phase::Attention ? m_seconds.attention
                                                       : m_seconds.feedForward;
    m_phases.push_back({seconds, steps, 0.0});
}

double RunProgress::share() const {
    double done = 0.0;
    for (const Expected& phase : m_phases) {
        done += phase.steps > 0.0 ? phase.seconds * phase.done / phase.steps : 0.0;
    }
    const double total = m_seconds.total();
    return total > 0.0 ? std::min(1.0, done / total) : 0.0;
}

void RunProgress::step() {
    const auto current = std::find_if(m_phases.begin(), m_phases.end(), [](const Expected& phase) {
        return phase.done < phase.steps;
    });
    if (current != m_phases.end()) {
        current->done = std::min(current->done + 1.0, current->steps);
    }
    const auto units = static_cast<std::uint64_t>(share() * kBeforeWriting * kUnitsPerLayer);
    if (units > m_units) {
        m_progress.advance(units - m_units);
        m_units = units;
    }
}

void RunProgress::beginBranches(const std::string& name, std::uint64_t steps,
                                std::uint64_t alreadyDone) {
    m_progress.begin(name, steps, alreadyDone);
}

void RunProgress::endLayer() {
    m_progress.advance(kUnitsPerLayer - m_units);
}

}  // namespace moescope::engine
