// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_notes.h"

#include "core/base/file_system.h"
#include "core/base/format_bytes.h"
#include "core/engine/run_effort.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace moescope::engine {

void noteDevices(const RunPlan& plan, const model::ModelSpec& model, std::uint64_t documents,
                 Estimate& estimate) {
    const MemoryPlan& memory = plan.memory;
    if (!memory.streamed()) {
        return;
    }
    int experts = 0;
    for (const model::LayerSpec& layer : model.layers) {
        experts = std::max(experts, layer.moe ? layer.moe->experts : 0);
    }
    std::string layers = memory.decodeAhead ? "two layers at a time" : "a layer at a time";
    if (!memory.residentExperts) {
        layers = fmt::format("{} of {} experts at a time", memory.expertsAtOnce, experts);
    }
    estimate.notes.push_back(fmt::format(
        "{}: {}, blocks of {} tokens, {} of {} that may be used", estimate.device, layers,
        memory.blockTokens, formatBytes(memory.deviceBytes), formatBytes(memory.deviceBudget)));
    if (plan.devices.size() > 1) {
        estimate.notes.push_back(fmt::format(
            "{} documents are shared out among {} devices{}", documents, plan.devices.size(),
            documents < plan.devices.size() ? ": there are too few for all of them" : ""));
    }
}

void noteDeviceBudget(std::optional<std::uint64_t> asked, const MemoryPlan& memory,
                      Estimate& estimate) {
    if (memory.streamed() && asked && *asked > memory.deviceBudget) {
        estimate.notes.push_back(
            fmt::format("--device-memory {} is more than may be used: {}, nine tenths of what is "
                        "free there, is planned with",
                        formatBytes(*asked), formatBytes(memory.deviceBudget)));
    }
}

void noteChoices(const MemoryPlan& memory, std::uint64_t expertBytes, std::uint64_t rereads,
                 Estimate& estimate) {
    if (!memory.residentExperts && rereads > 1) {
        estimate.notes.push_back(
            fmt::format("a layer's experts do not fit together: they are read {} times, {} more",
                        rereads, formatBytes((rereads - 1) * expertBytes)));
    }
    if (memory.bufferBytes > 0) {
        estimate.notes.push_back(
            fmt::format("weights that are not in memory are read past the page cache, {} at a time",
                        formatBytes(memory.bufferBytes)));
    }
    if (!memory.residualInMemory) {
        estimate.notes.emplace_back("the residual stream lives in a scratch file");
    }
}

void noteDisk(const RunRequest& request, Estimate& estimate) {
    const std::uint64_t free =
        request.session.empty() ? estimate.diskBytes : freeDiskBytes(request.session);
    if (free < estimate.diskBytes) {
        estimate.notes.push_back(fmt::format(
            "THE DISK MAY NOT HOLD IT: up to {} are written to {}, and {} are free; a "
            "run that meets a full disk stops and keeps what is finished",
            formatBytes(estimate.diskBytes), request.session.string(), formatBytes(free)));
    }
}

std::string roughly(double seconds) {
    return seconds < 90.0 ? fmt::format("{:.0f} s", std::ceil(seconds))
                          : fmt::format("{:.0f} min", seconds / 60.0);
}

void noteUnits(const RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
               const Calibration& calibration, Estimate& estimate) {
    for (const auto& [id, total] : unitTotals(plan, models, corpus)) {
        const double seconds = secondsOf(total.effort, calibration);
        estimate.notes.push_back(fmt::format(
            "{}: {} units of work, about {} in all, {} at once with {} each, results of {}; each "
            "reads its weights again, from the page cache as long as that holds a layer's experts",
            id, total.units, roughly(seconds), plan.memory.unitsAtOnce,
            formatBytes(total.unitBytes), formatBytes(total.resultBytes)));
    }
}

void noteKept(const RunPlan& plan, const model::ModelSpec& model,
              const text::TokenizedCorpus& corpus, Estimate& estimate) {
    std::set<const PlannedExperiment*> noted;
    for (const LayerWork& work : plan.work) {
        for (const PlannedExperiment* experiment : work.dynamic) {
            if (!noted.insert(experiment).second) {
                continue;
            }
            for (const auto& probe : experiment->probes.dynamic) {
                if (const std::string note = probe->keptNote(model, corpus); !note.empty()) {
                    estimate.notes.push_back(fmt::format("{}: {}", experiment->info->id, note));
                }
            }
        }
    }
}

}  // namespace moescope::engine
