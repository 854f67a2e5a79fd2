// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/opened_models.h"

#include "core/base/error.h"
#include "core/model/load_spec.h"
#include "core/text/tokenizer.h"

#include <fmt/format.h>

namespace moescope::engine {
namespace {

void readTokenizer(OpenedModel& model) {
    try {
        const auto tokenizer = text::loadTokenizer(model.checkpoint.tokenizerPath());
        model.tokenizerDescription = tokenizer->description();
        model.tokenizerIdentity = tokenizer->identity();
    } catch (const Error& error) {
        // The text comes as token ids; a folder without tokenizer files can still be run.
        if (error.code() != ErrorCode::FileNotFound) {
            throw;
        }
    }
}

[[noreturn]] void mismatch(const OpenedModel& model, const OpenedModel& baseline,
                           const std::string& what) {
    throw Error(
        ErrorCode::BaselineMismatch,
        fmt::format("The baseline {} cannot stand beside {}: {}. A baseline needs the same "
                    "layers, hidden size and tokenizer.",
                    baseline.checkpoint.displayName(), model.checkpoint.displayName(), what));
}

void requireFit(const OpenedModel& model, const OpenedModel& baseline, bool withText) {
    const auto require = [&](bool equal, const char* what, int ours, int theirs) {
        if (!equal) {
            mismatch(model, baseline, fmt::format("it has {} {}, not {}", theirs, what, ours));
        }
    };
    const model::ModelSpec& a = model.spec;
    const model::ModelSpec& b = baseline.spec;
    require(a.layerCount() == b.layerCount(), "layers", a.layerCount(), b.layerCount());
    require(a.hiddenSize == b.hiddenSize, "as hidden size", a.hiddenSize, b.hiddenSize);
    for (int layer = 0; layer < b.layerCount(); ++layer) {
        if (!b.layers[static_cast<std::size_t>(layer)].dense) {
            mismatch(model, baseline, fmt::format("its layer {} is not dense", layer));
        }
    }
    if (!withText) {
        return;
    }
    const bool known = !model.tokenizerIdentity.empty() && !baseline.tokenizerIdentity.empty();
    if (known && model.tokenizerIdentity != baseline.tokenizerIdentity) {
        mismatch(model, baseline,
                 fmt::format("its tokenizer is another one ({} against {})",
                             baseline.tokenizerDescription, model.tokenizerDescription));
    }
    if (!known) {
        require(a.vocabSize == b.vocabSize, "vocabulary entries", a.vocabSize, b.vocabSize);
    }
}

void overrideTopK(model::ModelSpec& spec, int topK) {
    for (model::LayerSpec& layer : spec.layers) {
        if (!layer.moe) {
            continue;
        }
        if (topK < 1 || topK > layer.moe->experts) {
            throw Error(ErrorCode::Usage,
                        fmt::format("--top-k {} does not fit a layer of {} experts", topK,
                                    layer.moe->experts));
        }
        layer.moe->topK = topK;
    }
}

}  // namespace

OpenedModel::OpenedModel(const std::filesystem::path& path)
    : checkpoint(path), spec(model::loadSpec(checkpoint)) {}

std::vector<const model::ModelSpec*> OpenedModels::baselineSpecs() const {
    std::vector<const model::ModelSpec*> specs;
    for (const auto& baseline : baselines) {
        specs.push_back(&baseline->spec);
    }
    return specs;
}

OpenedModels openModels(const RunRequest& request, bool withText) {
    OpenedModels models;
    models.model = std::make_unique<OpenedModel>(request.checkpoint);
    if (withText) {
        readTokenizer(*models.model);
    }
    for (const auto& path : request.baselines) {
        models.baselines.push_back(std::make_unique<OpenedModel>(path));
        if (withText) {
            readTokenizer(*models.baselines.back());
        }
        requireFit(*models.model, *models.baselines.back(), withText);
    }
    if (request.topK) {
        overrideTopK(models.model->spec, *request.topK);
    }
    return models;
}

}  // namespace moescope::engine
