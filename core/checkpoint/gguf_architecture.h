// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/gguf_config.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace moescope::checkpoint {

/// What llama.cpp calls "ffn_gate_exps" and so on, in the names of the Hugging Face checkpoint,
/// below "model.layers.N.".
struct GgufExpertNames {
    std::string_view router = "mlp.gate";
    std::string_view expert = "mlp.experts";  ///< before the expert's number
    std::array<std::string_view, 3> gated{"gate_proj", "up_proj", "down_proj"};
    std::string_view shared = "mlp.shared_experts";
    std::string_view selectionBias = "mlp.gate.e_score_correction_bias";
};

/// How llama.cpp writes one architecture, so that the family of the Hugging Face checkpoint can
/// read it. Sources: llama.cpp's conversion scripts and its gguf package's tensor names.
struct GgufArchitecture {
    std::string_view name;  ///< "qwen3moe", general.architecture
    /// The rows of each head's query and key are stored with its two halves interleaved.
    bool pairedRows = false;
    bool layersDiffer = false;  ///< in their number of key and value heads
    GgufExpertNames experts{};
    std::string_view layers = "model.layers.";  ///< before the layer's number
    /// Names that differ from the usual ones, outside and inside layers, without ".weight" and
    /// ".bias" ("attn_q_norm", "self_attn.query_layernorm") or with both ends as they are
    /// ("attn_norm.weight", "pre_attn_norm.scale").
    std::span<const std::pair<std::string_view, std::string_view>> otherNames{};
    /// Writes what config.json holds beyond GgufConfig::setCommon(), model_type included.
    void (*describe)(GgufConfig& config) = nullptr;
};

/// The architecture of that name. Throws Error(UnknownFamily) naming it and listing the known ones.
[[nodiscard]] const GgufArchitecture& ggufArchitecture(std::string_view name,
                                                       std::string_view where);

}  // namespace moescope::checkpoint
