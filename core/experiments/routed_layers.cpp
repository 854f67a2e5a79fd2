// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/routed_layers.h"

#include "core/base/error.h"

#include <fmt/format.h>

namespace moescope::experiments {

std::vector<RoutedLayer> routedLayers(const model::ModelSpec& model) {
    std::vector<RoutedLayer> layers;
    for (int l = 0; l < model.layerCount(); ++l) {
        const model::LayerSpec& layer = model.layers[static_cast<std::size_t>(l)];
        if (layer.isRouted()) {
            layers.push_back({LayerId{l}, layer.moe->experts, layer.moe->topK});
        }
    }
    return layers;
}

numerics::ExpertUse useOf(const engine::ResultSource& results, const RoutedLayer& layer,
                          bool withNorms) {
    const NdArray stored = results.read("chosen_experts", "ids", layer.layer);
    std::vector<std::uint16_t> ids;
    ids.reserve(stored.size());
    for (std::uint64_t i = 0; i < stored.size(); ++i) {
        const double id = stored.at(i);
        if (!(id >= 0.0 && id < layer.experts)) {
            throw Error(ErrorCode::BadSession,
                        fmt::format("chosen_experts of layer {} names expert {}, but the layer has "
                                    "{}; the session is damaged.",
                                    layer.layer.value, id, layer.experts));
        }
        ids.push_back(static_cast<std::uint16_t>(id));
    }
    const NdArray weights = results.read("chosen_experts", "weights", layer.layer);
    const NdArray norms = withNorms ? results.read("importance", "norm", layer.layer) : NdArray();
    if (weights.size() != ids.size() || (withNorms && norms.size() != ids.size())) {
        throw Error(ErrorCode::BadSession,
                    fmt::format("chosen_experts and importance of layer {} have different shapes; "
                                "the session is damaged.",
                                layer.layer.value));
    }
    numerics::ExpertUse use(layer.experts);
    numerics::addUse({ids, layer.topK, layer.experts}, weights.values<float>(),
                     withNorms ? norms.values<float>() : std::span<const float>(), use);
    return use;
}

void removeExperts(const RoutedLayer& layer, const std::vector<std::size_t>& experts,
                   engine::Intervention& branch) {
    if (!experts.empty()) {
        branch.layers.emplace_back(
            layer.layer,
            engine::LayerIntervention::without(layer.experts, {experts.begin(), experts.end()}));
    }
}

}  // namespace moescope::experiments
