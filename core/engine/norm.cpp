// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/norm.h"

#include <ATen/ATen.h>

namespace moescope::engine {
namespace {

at::Tensor rootMeanSquare(const at::Tensor& wide, double eps) {
    const at::Tensor variance = wide.square().mean(-1, /*keepdim=*/true);
    return wide * (variance + eps).rsqrt();
}

}  // namespace

at::Tensor normalise(const at::Tensor& x, const Norm& norm) {
    const at::Tensor wide = x.to(at::kFloat);
    switch (norm.kind) {
        case model::NormKind::Rms:
            return rootMeanSquare(wide, norm.eps).to(x.scalar_type()).mul_(norm.weight);
        case model::NormKind::RmsFp32:
            return rootMeanSquare(wide, norm.eps)
                .mul_(norm.weight.to(at::kFloat))
                .to(x.scalar_type());
        case model::NormKind::RmsPlusOne:
            return rootMeanSquare(wide, norm.eps)
                .mul_(norm.weight.to(at::kFloat) + 1.0)
                .to(x.scalar_type());
        case model::NormKind::RmsWeightless:
            return rootMeanSquare(wide, norm.eps).to(x.scalar_type());
        case model::NormKind::LayerNorm:
            break;
    }
    const at::Tensor centred = wide - wide.mean(-1, /*keepdim=*/true);
    at::Tensor result = rootMeanSquare(centred, norm.eps).mul_(norm.weight.to(at::kFloat));
    if (norm.bias.defined()) {
        result.add_(norm.bias.to(at::kFloat));
    }
    return result.to(x.scalar_type());
}

void addTo(at::Tensor& x, const at::Tensor& output, const ResidualJoin& join) {
    const at::Tensor normed = join.norm.present() ? normalise(output, join.norm) : output;
    x.add_(join.scale == 1.0 ? normed : normed * join.scale);
}

}  // namespace moescope::engine
