// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/model_spec.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

/// Weights as the blocks use them: compute dtype, on the run's device. Internal to the engine.
namespace moescope::engine {

struct Linear {
    at::Tensor weight;  ///< [out, in]
    at::Tensor bias;    ///< [out] or undefined
};

struct Norm {
    at::Tensor weight;  ///< [d]
    model::NormKind kind = model::NormKind::Rms;
    double eps = 1e-5;
};

struct AttentionWeights {
    Linear q, k, v, o;
    Norm qNorm, kNorm;  ///< undefined without query and key norms
    /// Latent attention only; queryDown undefined where queries come from the hidden state.
    Linear queryDown, keyValueDown, keyValueUp;
    Norm queryDownNorm, keyValueDownNorm;
};

struct Router {
    Linear linear;
    at::Tensor selectionBias;  ///< float32 [E] or undefined
};

/// One gated feed-forward: down(act(gate x) * (up x)).
struct FeedForward {
    Linear gate, up, down;
    model::Activation activation = model::Activation::Silu;
};

}  // namespace moescope::engine
