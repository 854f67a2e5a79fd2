// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <ATen/core/Tensor.h>

#include <optional>

/// Weights as the blocks use them: compute dtype, on the run's device. Internal to the engine.
namespace moescope::engine {

struct Linear {
    at::Tensor weight;  ///< [out, in]
    at::Tensor bias;    ///< [out] or undefined
};

struct Norm {
    at::Tensor weight;  ///< [d]; undefined: no norm, but for the kind without weight
    at::Tensor bias;    ///< [d] or undefined; layer norms only
    model::NormKind kind = model::NormKind::Rms;
    double eps = 1e-5;

    [[nodiscard]] bool present() const {
        return weight.defined() || kind == model::NormKind::RmsWeightless;
    }
};

/// How what a block computes joins the residual stream: x += scale norm(output).
struct ResidualJoin {
    Norm norm;  ///< may be absent
    double scale = 1.0;
};

struct AttentionWeights {
    Linear q, k, v, o;  ///< v undefined where values are keys
    Norm qNorm, kNorm, vNorm;
    at::Tensor sinks;  ///< float32 [query heads] or undefined
    /// Latent attention only; queryDown undefined where queries come from the hidden state.
    Linear queryDown, keyValueDown, keyValueUp;
    Norm queryDownNorm, keyValueDownNorm;
};

/// Names as in model::DeltaNetNames.
struct DeltaNetWeights {
    Linear queryKeyValue, gate, strength, decay, output;
    at::Tensor convolution;          ///< float32 [channels, kernel]
    at::Tensor decayRate, timeBias;  ///< float32 [value heads]; decayRate is -exp(A_log)
    Norm outputNorm;
};

struct Router {
    Linear linear;
    at::Tensor selectionBias;   ///< float32 [E] or undefined
    Norm inputNorm;             ///< weightless, where the router has one
    at::Tensor inputScale;      ///< [d] with it, in the compute type
    at::Tensor perExpertScale;  ///< float32 [E] or undefined
};

/// One gated feed-forward: down(act(gate x) * (up x)).
struct FeedForward {
    Linear gate, up, down;
    model::Activation activation = model::Activation::Silu;
    std::optional<model::ClampedSwiglu> clamped;
};

}  // namespace moescope::engine
