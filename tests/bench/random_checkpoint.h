// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

/// Checkpoints with the true shapes of published models and random bfloat16 weights.
namespace moescope::bench {

struct ModelShape {
    std::string_view name;  ///< "deepseekmoe-16b"
    std::string_view type;  ///< model_type of config.json: "mixtral", "deepseek", "qwen3_moe"
    int layers = 0, denseLayers = 0;
    int hiddenSize = 0, headsQ = 0, headsKv = 0, headDim = 0, vocabulary = 0;
    int experts = 0, topK = 0, expertWidth = 0;
    int sharedExperts = 0, denseWidth = 0;
    double ropeTheta = 1e4, normEps = 1e-6;
};

[[nodiscard]] std::span<const ModelShape> modelShapes();
/// By name; the error lists them.
[[nodiscard]] const ModelShape& findShape(std::string_view name);

/// Writes config.json, a tokenizer of single characters and one safetensors file per layer with an
/// index, unless `folder` holds the same already. `shape.layers` may be fewer than the model has.
/// Norms are 1, all other weights normal with a deviation of 0.02 that repeats every 64 MiB.
void writeRandomCheckpoint(const std::filesystem::path& folder, const ModelShape& shape);

}  // namespace moescope::bench
