// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/run_plan.h"

#include "core/base/error.h"
#include "core/engine/columns.h"
#include "core/engine/weight_sums.h"

#include <fmt/format.h>

#include <algorithm>

namespace moescope::engine {
namespace {

void addExperiment(std::vector<PlannedExperiment>& plan, const ExperimentRequest& request,
                   bool withText, const ProbeFactory& factory) {
    const auto* info = experiments::findExperiment(request.id);
    if (info == nullptr) {
        throw Error(
            ErrorCode::Usage,
            fmt::format("experiment \"{}\" is not known; see --help for the list", request.id));
    }
    const bool planned = std::any_of(plan.begin(), plan.end(),
                                     [&](const auto& other) { return other.info == info; });
    if (planned) {
        return;
    }
    if (!withText && info->kind != experiments::ExperimentKind::Static) {
        throw Error(ErrorCode::Usage,
                    fmt::format("experiment {} needs a text; give one, or ask for static "
                                "experiments only",
                                info->id));
    }
    const std::string options = request.optionsJson.empty() ? "{}" : request.optionsJson;
    plan.push_back({info, options, factory(info->id, options), request.layers});
}

}  // namespace

std::vector<Probe*> PlannedExperiment::all() const {
    std::vector<Probe*> result;
    for (const auto& probe : probes.dynamic) {
        result.push_back(probe.get());
    }
    for (const auto& probe : probes.statics) {
        result.push_back(probe.get());
    }
    for (const auto& probe : probes.units) {
        result.push_back(probe.get());
    }
    for (const auto& probe : probes.models) {
        result.push_back(probe.get());
    }
    for (const auto& probe : probes.branches) {
        result.push_back(probe.get());
    }
    return result;
}

bool PlannedExperiment::covers(int layer) const {
    return layers.empty() || std::find(layers.begin(), layers.end(), layer) != layers.end();
}

void checkLayers(const model::ModelSpec& model, const std::vector<PlannedExperiment>& experiments) {
    for (const PlannedExperiment& experiment : experiments) {
        for (const int layer : experiment.layers) {
            const bool routed = layer >= 0 && layer < model.layerCount() &&
                                model.layers[static_cast<std::size_t>(layer)].isRouted();
            if (!routed) {
                throw Error(ErrorCode::Usage,
                            fmt::format("{} was asked for in layer {}, which {}; the model's "
                                        "layers are 0 to {}",
                                        experiment.info->id, layer,
                                        layer < 0 || layer >= model.layerCount() ? "is not there"
                                                                                 : "has no experts",
                                        model.layerCount() - 1));
            }
        }
    }
}

std::vector<PlannedExperiment> planExperiments(const std::vector<ExperimentRequest>& requests,
                                               bool withText, const ProbeFactory& factory) {
    std::vector<PlannedExperiment> plan;
    for (const ExperimentRequest& request : requests) {
        addExperiment(plan, request, withText, factory);
    }
    // Of an experiment with branches that sources() names others for; they have none themselves.
    for (std::size_t asked = plan.size(), i = 0; i < asked; ++i) {
        std::vector<std::string> sources;
        for (const auto& probe : plan[i].probes.branches) {
            for (const std::string_view source : probe->sources()) {
                sources.emplace_back(source);
            }
        }
        for (const std::string& source : sources) {
            addExperiment(plan, {source, "{}"}, withText, factory);
        }
    }
    if (withText) {
        // Everything about routing derives from these, later and without the model.
        addExperiment(plan, {"chosen_experts", "{}"}, withText, factory);
    }
    if (plan.empty()) {
        throw Error(ErrorCode::Usage, "no experiment was asked for, and there is no text");
    }
    return plan;
}

std::vector<LayerWork> planWork(const model::ModelSpec& model,
                                std::vector<PlannedExperiment>& experiments, const IsDone& isDone) {
    std::vector<LayerWork> work(model.layers.size());
    for (std::size_t l = 0; l < work.size(); ++l) {
        work[l].layer = static_cast<int>(l);
        if (!model.layers[l].isRouted()) {
            continue;
        }
        for (PlannedExperiment& experiment : experiments) {
            const session::PartKey key{BranchId{0}, std::string(experiment.info->id),
                                       LayerId{work[l].layer}};
            if (!experiment.perLayer() || !experiment.covers(work[l].layer) || isDone(key)) {
                continue;
            }
            if (!experiment.probes.dynamic.empty()) {
                work[l].dynamic.push_back(&experiment);
            }
            if (!experiment.probes.statics.empty()) {
                work[l].statics.push_back(&experiment);
            }
            if (!experiment.probes.units.empty()) {
                work[l].units.push_back(&experiment);
            }
        }
    }
    return work;
}

StaticNeeds staticNeeds(const LayerWork& work) {
    StaticNeeds needs;
    for (const PlannedExperiment* experiment : work.statics) {
        for (const auto& probe : experiment->probes.statics) {
            needs = together(needs, probe->needs());
        }
    }
    return needs;
}

DynamicNeeds dynamicNeeds(const LayerWork& work) {
    DynamicNeeds needs;
    for (const PlannedExperiment* experiment : work.dynamic) {
        for (const auto& probe : experiment->probes.dynamic) {
            const DynamicNeeds wanted = probe->needs();
            needs.norms = needs.norms || wanted.norms;
            needs.outputs = needs.outputs || wanted.outputs;
            needs.activations = needs.activations || wanted.activations;
            needs.chosenSizes = needs.chosenSizes || wanted.chosenSizes;
        }
    }
    return needs;
}

std::string longDocumentsWarning(const model::ModelSpec& spec,
                                 const text::TokenizedCorpus& corpus) {
    std::uint64_t longest = 0;
    for (std::size_t d = 0; d < corpus.documentCount(); ++d) {
        longest = std::max(longest, corpus.offsets[d + 1] - corpus.offsets[d]);
    }
    if (spec.maxPositions <= 0.0 || static_cast<double>(longest) <= spec.maxPositions) {
        return {};
    }
    return fmt::format(
        "the longest document has {} tokens, the model knows {:.0f} positions: "
        "split the text, or cut documents with --context {:.0f}",
        longest, spec.maxPositions, spec.maxPositions);
}

LayerContext contextOf(const OpenedModels& models,
                       const std::vector<const model::ModelSpec*>& baselines, int layer,
                       const text::TokenizedCorpus& corpus) {
    const model::ModelSpec& spec = models.model->spec;
    return {.branch = BranchId{0},
            .layer = LayerId{layer},
            .model = spec,
            .moe = spec.layers.at(static_cast<std::size_t>(layer)).moe.value(),
            .hiddenSize = spec.hiddenSize,
            .columns = columnsOf(spec, layer, baselines),
            .corpus = corpus};
}

}  // namespace moescope::engine
