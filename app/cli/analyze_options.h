// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/experiments/options.h"
#include "core/text/corpus.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// The command line without Qt and LibTorch, shared by moescope and moescope-engine. Parsing is
/// pure, but that a session that is added to is asked whether it has a text and, to go on with it,
/// which experiments.
namespace moescope::cli {

/// What to do with an interrupted run found at the output path. A finished session is only ever
/// added to.
enum class Interrupted {
    Refuse,  ///< say that there is one
    Resume,  ///< go on with it
    Restart  ///< drop what the interrupted run left
};

enum class Scratch { Auto, Always, Never };

/// Everything `analyze` was asked for, checked.
struct AnalyzeOptions {
    std::filesystem::path checkpoint;
    std::vector<std::filesystem::path> baselines;
    std::filesystem::path session;  ///< RUN.h5
    std::string title;

    std::optional<text::TextSource> text;  ///< absent: static experiments only
    text::TokenizeOptions tokenize;
    bool chat = false;

    std::filesystem::path choices;                  ///< multiple-choice questions; empty: none
    std::vector<std::filesystem::path> pruneLists;  ///< of the experiment pruning
    std::vector<std::string> experiments;           ///< ids as in the catalogue, in its order
    bool experimentsNamed = false;                  ///< false: those that are usual
    experiments::ExperimentOptions experimentOptions;
    /// Resumed without a word on experiments or their options: `experiments` are the session's own
    /// and keep the options and layers that they have in it.
    bool asBefore = false;
    std::vector<int> staticLayers;  ///< of the experiments on weights; empty: all
    std::optional<int> topK;

    std::string device = "auto";
    std::string dtype = "auto";
    std::optional<std::uint64_t> memoryBytes, deviceMemoryBytes;
    int threads = 0;  ///< 0: all cores
    Scratch scratch = Scratch::Auto;
    Interrupted interrupted = Interrupted::Refuse;
    bool dryRun = false;
    bool json = false;
};

/// True when the options mean something else in another working directory.
[[nodiscard]] bool hasRelativePaths(const AnalyzeOptions& options);

/// The `analyze` subcommand: attach() before parsing, result() after. Thread-compatible.
class AnalyzeCommand {
public:
    /// Adds the subcommand to a program's parser, which must not outlive this object.
    void attach(CLI::App& program);
    [[nodiscard]] bool wasCalled() const;
    /// Throws Error(Usage) for what contradicts itself or is missing, with the remedy.
    [[nodiscard]] AnalyzeOptions result() const;

private:
    void attachText(CLI::App& app);
    void attachExperiments(CLI::App& app);
    void attachWeights(CLI::App& app);
    void attachRun(CLI::App& app);
    [[nodiscard]] std::optional<text::TextSource> textSource() const;
    [[nodiscard]] std::vector<std::string> chosenExperiments() const;
    [[nodiscard]] experiments::ExperimentOptions experimentOptions(
        const std::vector<std::string>& asked) const;
    void addKeptTokens(experiments::ExperimentOptions& options) const;
    void addRemovals(const std::vector<std::string>& asked,
                     experiments::ExperimentOptions& options) const;
    void requirePruning(const std::vector<std::string>& asked) const;
    void requireAnswering(const std::vector<std::string>& asked) const;
    void addWeightOptions(experiments::ExperimentOptions& options) const;

    // As given on the command line.
    struct Given {
        std::string checkpoint, session, title;
        std::vector<std::string> baselines, textFiles, experiments;
        std::optional<std::string> prompt, preset, csv, jsonl, column, domainColumn, skipPrefix;
        std::optional<std::int64_t> maxDocuments, maxTokens, context, keptTokens, keptStates, topK;
        std::optional<double> activityThreshold;
        std::vector<std::string> routerNoise;
        bool noHeader = false, splitLines = false, chat = false;
        bool skipFirstToken = false, dryRun = false, json = false, resume = false, restart = false;
        std::string relativeTo = "auto", keptFrom, keptDocuments, device = "auto", dtype = "auto";
        std::string scratch = "auto", memory, deviceMemory, keptSize, choices;
        std::string routerAgainst = "mean-neuron", projection = "standardised";
        std::string matching = "separate";
        std::vector<std::string> matchRoles, matchPairs, staticLayers, removals, pruneLists;
        bool pruneListsOnly = false;
        std::optional<double> outlierRadius;
        std::optional<std::int64_t> outlierNeighbours, removalControls;
        int threads = 0;
    };
    Given m_given;
    CLI::App* m_app = nullptr;
};

}  // namespace moescope::cli
