// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/run_plan.h"

#include <cstdint>
#include <optional>
#include <string>

/// What an estimate says in words, beside its numbers.
namespace moescope::engine {

/// "12 s", "3 min".
[[nodiscard]] std::string roughly(double seconds);

/// How the work lies on the devices; nothing where the CPU computes from its own memory.
void noteDevices(const RunPlan& plan, const model::ModelSpec& model, std::uint64_t documents,
                 Estimate& estimate);
/// What the plan of memory gave up, and how weights are read. `rereads`: how often experts are.
void noteChoices(const MemoryPlan& memory, std::uint64_t expertBytes, std::uint64_t rereads,
                 Estimate& estimate);
/// That --device-memory, `asked`, is more than may be used of what is free.
void noteDeviceBudget(std::optional<std::uint64_t> asked, const MemoryPlan& memory,
                      Estimate& estimate);
/// Whether the results may be too large for the disk. It is not refused as memory is: other files
/// may go before they come.
void noteDisk(const RunRequest& request, Estimate& estimate);
/// What each experiment in units costs beside the others, and that it reads for itself.
void noteUnits(const RunPlan& plan, const OpenedModels& models, const text::TokenizedCorpus& corpus,
               const Calibration& calibration, Estimate& estimate);
/// Which tokens will have rows of their own.
void noteKept(const RunPlan& plan, const model::ModelSpec& model,
              const text::TokenizedCorpus& corpus, Estimate& estimate);

}  // namespace moescope::engine
