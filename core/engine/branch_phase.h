// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/branch_pass.h"
#include "core/engine/part_writer.h"
#include "core/engine/run_plan.h"
#include "core/engine/run_progress.h"
#include "core/engine/run_watch.h"
#include "core/engine/unit_journal.h"

#include <chrono>
#include <filesystem>
#include <stop_token>

namespace moescope::engine {

/// Gives `recalled` what a finished session at that path holds of a probe's branches, made with
/// other options; nothing where there is no session.
void recallBranches(const std::filesystem::path& session, const model::ModelSpec& model,
                    const PlannedExperiment& experiment, const BranchProbe& probe,
                    const BranchProbe::Recalled& recalled);

/// The part of a run that passes the model again with one change after another: each branch that
/// neither the session nor an interrupted run holds, kept at once, shown while it goes on.
/// Thread-compatible.
class BranchPhase {
public:
    struct Setup {
        const RunRequest& request;
        const OpenedModels& models;
        const RunPlan& plan;
        const text::TokenizedCorpus& corpus;
        std::filesystem::path partsFolder;
        PassLimits limits;
    };
    BranchPhase(Setup setup, RunProgress& progress, PartWriter& writer, std::stop_token stop);

    /// All that is planned. Throws Error(Cancelled) on a stop request.
    void run();
    [[nodiscard]] std::uint64_t bytesRead() const noexcept { return m_bytesRead; }
    [[nodiscard]] std::uint64_t peakMemory() const noexcept { return m_watch.peakMemory(); }

private:
    using Clock = std::chrono::steady_clock;

    void run(const PlannedExperiment& experiment, BranchProbe& probe,
             const std::vector<Intervention>& all, const std::string& stage);
    void pass(const PlannedExperiment& experiment, BranchProbe& probe, UnitJournal& journal,
              const std::vector<Intervention>& all, const std::vector<std::size_t>& missing);
    /// With the first steps of the next batch, when all of the one before are there.
    void show(const PlannedExperiment& experiment, BranchProbe& probe);
    [[nodiscard]] std::string fingerprint(const PlannedExperiment& experiment) const;
    [[nodiscard]] ModelContext context() const;

    Setup m_setup;
    RunProgress& m_progress;
    PartWriter& m_writer;
    RunWatch m_watch;
    text::TokenizedCorpus m_passed;  ///< text and questions
    bool m_hasNews = false;
    Clock::time_point m_shown;
    std::uint64_t m_bytesRead = 0;
};

}  // namespace moescope::engine
