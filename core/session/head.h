// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/strong_id.h"
#include "core/text/choices.h"
#include "core/text/corpus.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace moescope::session {

/// What a reader needs to know of a layer without the model.
struct LayerSummary {
    int experts = 0;  ///< routed experts; 0: a dense layer
    int topK = 0;
    int sharedExperts = 0;
    int intermediateSize = 0;  ///< of one expert, or of the dense feed-forward
    [[nodiscard]] bool isRouted() const noexcept { return experts > 0; }
    bool operator==(const LayerSummary&) const = default;
};

/// A model as the session remembers it.
struct ModelSummary {
    std::string name;      ///< folder or hub name
    std::string identity;  ///< Checkpoint::identity()
    std::string family, familyTitle;
    std::string storedDtype;
    int hiddenSize = 0;
    int vocabSize = 0;
    std::vector<LayerSummary> layers;
    std::string cardJson;    ///< the model card of `moescope info`, as JSON
    std::string configText;  ///< config.json, verbatim
    std::string tokenizerDescription, tokenizerIdentity;
    bool operator==(const ModelSummary&) const = default;
};

/// Branch 0 is the intact model.
struct Branch {
    BranchId id;
    std::string name;              ///< "intact", "without expert 3"
    std::string interventionJson;  ///< "{}" for the intact model
    bool operator==(const Branch&) const = default;
};

enum class ExperimentState { Planned, Running, Done };

/// One experiment of the run's plan.
struct ExperimentRecord {
    std::string id;
    int version = 1;
    std::string title, definition;
    std::string optionsJson = "{}";
    ExperimentState state = ExperimentState::Planned;
    std::vector<LayerId> layers;      ///< the layers it covers when done; empty: not per layer
    bool hasModelPart = false;        ///< a part about the whole model follows the layers
    std::vector<LayerId> layersDone;  ///< filled by the reader
};

/// How the numbers were made.
struct RunSummary {
    std::string device, dtype;
    std::uint64_t seed = 0;
    std::string optionsJson = "{}";  ///< everything else that was asked for
    std::string commandLine;
    std::string createdUtc;  ///< ISO 8601
    std::string programVersion;
    std::string engineDescription;  ///< "LibTorch 1.13.1, OpenBLAS, 2 threads"
    bool chatTemplate = false;
};

/// Everything of a session but the experiments' numbers.
struct Head {
    std::string uuid;
    std::string title;  ///< empty in a head given to RunStore::begin: the one there, or the model's
    ModelSummary model;
    std::vector<ModelSummary> baselines;
    text::TokenizedCorpus corpus;    ///< empty when only static experiments were asked for
    text::TokenizedChoices choices;  ///< multiple-choice questions; mostly none
    RunSummary run;
    std::vector<Branch> branches;
    std::vector<ExperimentRecord> experiments;
    std::vector<std::string> warnings;  ///< about the run as a whole
};

}  // namespace moescope::session
