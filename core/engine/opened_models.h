// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/engine/run.h"
#include "core/model/model_spec.h"

#include <memory>
#include <string>
#include <vector>

namespace moescope::engine {

/// A checkpoint with its description and, when there is text, its tokenizer's identity.
struct OpenedModel {
    explicit OpenedModel(const std::filesystem::path& path);
    checkpoint::Checkpoint checkpoint;
    model::ModelSpec spec;
    std::string tokenizerDescription, tokenizerIdentity;  ///< empty: no tokenizer files
};

/// The model of a request and its baselines, checked against each other.
struct OpenedModels {
    std::unique_ptr<OpenedModel> model;
    std::vector<std::unique_ptr<OpenedModel>> baselines;
    [[nodiscard]] std::vector<const model::ModelSpec*> baselineSpecs() const;
};

/// Throws Error(FileNotFound | BadCheckpoint | UnknownFamily | MissingTensor | BadShape | Usage |
/// BaselineMismatch).
[[nodiscard]] OpenedModels openModels(const RunRequest& request, bool withText);

}  // namespace moescope::engine
