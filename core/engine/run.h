// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/session/head.h"
#include "core/session/run_events.h"
#include "core/text/choices.h"
#include "core/text/corpus.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Entry of the engine: what to run, what it will cost, and running it. Nothing of LibTorch shows
/// here.
namespace moescope::engine {

struct ExperimentRequest {
    std::string id;  ///< catalogue id
    std::string optionsJson = "{}";
    std::vector<int> layers{};  ///< only these, for an experiment on weights; empty: all
};

/// What to do with the parts of an interrupted run that are found at the session's path.
enum class Interrupted {
    Refuse,  ///< Error(Usage) that names the choices
    Resume,
    Discard  ///< begin again; a finished RUN.h5 stays
};

/// When the residual stream is kept in a file beside the parts, for resuming and for small budgets.
/// With Auto a file that cannot be written costs a warning, with Always it is an error.
enum class ScratchUse { Auto, Always, Never };

/// How weights come from the disk. Direct reads go past the page cache into buffers of the run's; a
/// mapping is used by those in memory already, and where there is no room or no such reads.
enum class WeightReads {
    Auto,      ///< direct where that is worth it
    Mapped,    ///< never
    Direct,    ///< all that can be read so, even what is small or in memory: for tests
    Streamed,  ///< as to a device, also where the CPU computes: for tests
};

/// A whole run as plain data. Thread-compatible.
struct RunRequest {
    std::filesystem::path checkpoint;
    std::vector<std::filesystem::path> baselines;  ///< dense models compared layer by layer
    text::TokenizedCorpus corpus;                  ///< empty: only static experiments can run
    text::TokenizedChoices choices{};              ///< answered where the model is run again
    std::vector<ExperimentRequest> experiments;    ///< chosen_experts is added when there is text
    std::filesystem::path session;                 ///< RUN.h5

    std::string device = "auto";               ///< "auto", "cpu", "cuda" (all), "cuda:0,cuda:1"
    std::string dtype = "auto";                ///< "auto", "float32", "bfloat16"
    std::optional<std::uint64_t> memoryBytes;  ///< of main memory; default: most of what is free
    std::optional<std::uint64_t> deviceMemoryBytes;  ///< of each device; default: as above
    std::optional<int> topK;  ///< instead of the model's own number of experts
    int threads = 0;          ///< 0: all cores
    std::uint64_t seed = 0;

    Interrupted interrupted = Interrupted::Refuse;
    ScratchUse scratch = ScratchUse::Auto;
    WeightReads weights = WeightReads::Auto;
    /// With ScratchUse::Auto the residual stream is kept when this much work would be lost.
    std::chrono::seconds keepEvery{20};

    // Kept in the session as they are.
    std::string title, commandLine;
    std::string optionsJson = "{}";  ///< options of the text and whatever else belongs to the run
    bool chatTemplate = false;
    std::string cardJson;                    ///< the model card
    std::vector<std::string> baselineCards;  ///< empty, or one per baseline
};

/// What a run will need; printed before it and by --dry-run.
/// What one experiment adds to a run.
struct ExperimentCost {
    std::string id;
    double seconds = 0.0;
    std::uint64_t memoryBytes = 0;  ///< held at a time
    std::uint64_t diskBytes = 0;    ///< of results, in all layers
};

struct Estimate {
    std::uint64_t memoryBytes = 0;        ///< anonymous and shared resident memory at its peak
    std::uint64_t minimumBytes = 0;       ///< the smallest budget this run can work in
    std::uint64_t budgetBytes = 0;        ///< what it may use
    std::uint64_t deviceBytes = 0;        ///< memory on each accelerator; 0 on the CPU
    std::uint64_t deviceBudgetBytes = 0;  ///< what may be used of it
    std::uint64_t diskBytes = 0;          ///< scratch files and session, upper estimate
    std::uint64_t readBytes = 0;          ///< of weights
    double seconds = 0.0;
    std::string device, dtype;  ///< what "auto" became
    std::uint64_t tokens = 0;
    int layers = 0;  ///< layers that still have work
    /// Of what is still to be done, in the order asked for. What they share (the text's pass, the
    /// reading of weights) is the rest of `seconds`.
    std::vector<ExperimentCost> experiments;
    std::vector<std::string> notes;  ///< "expert weights are decoded again for each block ..."
};

/// Gets what happens during a run. Calls come from the engine's threads, one at a time.
class RunObserver {
public:
    virtual ~RunObserver() = default;
    virtual void onEvent(const session::RunEvent& event) = 0;
};

struct RunReport {
    std::filesystem::path session;
    std::uint64_t partsWritten = 0;
    std::uint64_t partsKept = 0;        ///< found finished and not computed again
    std::uint64_t bytesRead = 0;        ///< of weights
    std::uint64_t peakMemoryBytes = 0;  ///< highest anonymous and shared resident memory seen
    double seconds = 0.0;
    std::vector<std::string> warnings;
};

/// Checks the request against the checkpoint's headers and says what it costs. Reads no weights.
/// Throws what run() would throw before its first layer.
[[nodiscard]] Estimate estimate(const RunRequest& request, const ProbeFactory& factory);

/// Runs and returns when RUN.h5 is complete. On a stop request the current block is finished, parts
/// stay for resuming and Error(Cancelled) is thrown. Other errors: Error(UnknownFamily |
/// BadCheckpoint | MissingTensor | BadShape | BaselineMismatch | MemoryBudget | OutOfMemory |
/// Device | DiskFull | FileUnwritable | BadSession | Usage | Internal).
RunReport run(const RunRequest& request, const ProbeFactory& factory, RunObserver& observer,
              std::stop_token stop);

}  // namespace moescope::engine
