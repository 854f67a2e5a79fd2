// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/published_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moescope::model {
namespace {

constexpr std::string_view kWithoutEmbedding = "per token without the input embedding";

constexpr std::array kPublished{
    PublishedFigures{"mixtral", 32, 4096, 8, "Mixtral 8x7B", 46.7, 12.9,
                     "Mistral AI, Mixtral of experts, 2023"},
    PublishedFigures{"mixtral", 56, 6144, 8, "Mixtral 8x22B", 141.0, 39.0,
                     "Mistral AI, Cheaper, Better, Faster, Stronger, 2024"},
    PublishedFigures{"deepseek", 28, 2048, 64, "DeepSeekMoE 16B", 16.4, 2.8, "arXiv:2401.06066"},
    PublishedFigures{"grok1", 64, 6144, 8, "Grok-1", 314.0, 0.0,
                     "xAI, Open Release of Grok-1, 2024",
                     "the shapes give 315.7 with the tied embedding once"},
    PublishedFigures{"olmoe", 16, 2048, 64, "OLMoE-1B-7B", 6.9, 1.3, "arXiv:2409.02060"},
    PublishedFigures{"qwen3_moe", 48, 2048, 128, "Qwen3-30B-A3B", 30.5, 3.3, "arXiv:2505.09388"},
    PublishedFigures{"deepseek_v3", 61, 7168, 256, "DeepSeek-V3", 671.0, 37.0, "arXiv:2412.19437",
                     "without the multi-token-prediction layer"},
    PublishedFigures{"gpt_oss", 24, 2880, 32, "gpt-oss-20b", 20.9, 3.6, "arXiv:2508.10925",
                     kWithoutEmbedding},
    PublishedFigures{"gpt_oss", 36, 2880, 128, "gpt-oss-120b", 116.8, 5.1, "arXiv:2508.10925",
                     kWithoutEmbedding},
    PublishedFigures{"dbrx", 40, 6144, 16, "DBRX", 132.0, 36.0,
                     "Databricks, Introducing DBRX, 2024"},
};

}  // namespace

std::span<const PublishedFigures> publishedFigures() {
    return kPublished;
}

const PublishedFigures* findPublished(const ModelSpec& spec) {
    const auto* const found =
        std::find_if(kPublished.begin(), kPublished.end(), [&](const PublishedFigures& entry) {
            // Dense layers come first where there are any.
            return entry.family == spec.family && entry.layers == spec.layerCount() &&
                   entry.hiddenSize == spec.hiddenSize && spec.layers.back().moe &&
                   entry.experts == spec.layers.back().moe->experts;
        });
    return found == kPublished.end() ? nullptr : found;
}

std::string publishedText(const PublishedFigures& figures) {
    std::string text = fmt::format("{}: {:g} B", figures.title, figures.total);
    if (figures.active > 0.0) {
        text += fmt::format(", {:g} B per token", figures.active);
    }
    text += fmt::format(" ({})", figures.source);
    return figures.counting.empty() ? text : fmt::format("{}; {}", text, figures.counting);
}

}  // namespace moescope::model
