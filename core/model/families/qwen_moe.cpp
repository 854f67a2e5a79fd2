// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/families/qwen_moe.h"

#include <algorithm>

namespace moescope::model {

std::vector<int> qwenRoutedLayers(const Config& config, const ModelSpec& spec) {
    const int step = config.integer({"decoder_sparse_step"}, 1);
    const auto dense = config.numbers("mlp_only_layers");
    return layersWhere(spec, [&](int layer) {
        return (layer + 1) % step == 0 &&
               std::find(dense.begin(), dense.end(), static_cast<double>(layer)) == dense.end();
    });
}

void setQwenWindow(const Config& config, ModelSpec& spec) {
    const bool used = config.flag({"use_sliding_window"}, false);
    const auto window = config.maybeInteger({"sliding_window"});
    const int first = config.integer({"max_window_layers"}, 28, {.least = 0});
    if (config.has("layer_types")) {
        setSlidingWindow(config, spec);
        return;
    }
    for (int i = first; used && window && i < spec.layerCount(); ++i) {
        spec.layers[static_cast<std::size_t>(i)].attention.slidingWindow = window;
    }
}

}  // namespace moescope::model
