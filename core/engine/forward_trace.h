// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/nd_array.h"
#include "core/base/strong_id.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/intervention.h"
#include "core/model/model_spec.h"
#include "core/text/corpus.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace moescope::engine {

/// Everything of a forward pass, for tests and for small texts. T tokens, L layers, d hidden size,
/// V vocabulary, E experts, k chosen, N columns; float32 but for the ids.
struct ForwardTrace {
    struct RoutedLayer {
        NdArray input;      ///< [T, d]
        NdArray logits;     ///< [T, E]
        NdArray scores;     ///< [T, E]
        NdArray selection;  ///< [T, E]
        NdArray chosen;     ///< int64 [T, k]
        NdArray weights;    ///< [T, k]
        NdArray outputs;    ///< [N, T, d], columns as in LayerContext
        NdArray norms;      ///< [T, N]
    };
    std::vector<NdArray> hidden;  ///< L + 1 times [T, d]: into layer 0, then out of each layer
    std::map<LayerId, RoutedLayer> routed;
    NdArray finalHidden;  ///< [T, d]
    NdArray logits;       ///< [T, V]
    std::uint64_t bytesRead = 0;
    std::vector<std::string> warnings;
};

struct TraceRequest {
    std::string device = "cpu";
    std::string dtype = "float32";
    std::uint64_t blockTokens = 1024;
    std::uint64_t queryRows = 2048;
    std::uint64_t scoreBytes = std::uint64_t{64} << 20U;
    bool experts = true;          ///< outputs of all columns
    bool residentExperts = true;  ///< hold a layer's experts, or load them block by block
    const Intervention* change = nullptr;
};

struct TracedModel {
    const checkpoint::Checkpoint* checkpoint = nullptr;
    const model::ModelSpec* spec = nullptr;
};

/// Runs a text through a model (with baselines in lockstep) and keeps everything.
[[nodiscard]] ForwardTrace traceForward(const TracedModel& model,
                                        const std::vector<TracedModel>& baselines,
                                        const text::TokenizedCorpus& corpus,
                                        const TraceRequest& request);

}  // namespace moescope::engine
