// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/norm.h"

#include "core/engine/element_loops.h"
#include "core/engine/parallel_ranges.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

namespace moescope::engine {
namespace {

at::Tensor rootMeanSquare(const at::Tensor& wide, double eps) {
    const at::Tensor variance = wide.square().mean(-1, /*keepdim=*/true);
    return wide * (variance + eps).rsqrt();
}

/// How a kind multiplies, for the loop that does all at once; nothing for the others.
std::optional<RmsWeight> rmsWeight(const Norm& norm, std::int64_t width) {
    if (norm.kind == model::NormKind::RmsWeightless) {
        return RmsWeight{};
    }
    const at::Tensor& weight = norm.weight;
    if (norm.kind == model::NormKind::LayerNorm || weight.scalar_type() != at::kBFloat16 ||
        weight.numel() != width || !weight.is_contiguous()) {
        return std::nullopt;
    }
    return RmsWeight{static_cast<const Bfloat16Bits*>(weight.data_ptr()),
                     norm.kind == model::NormKind::Rms,
                     norm.kind == model::NormKind::RmsPlusOne ? 1.0F : 0.0F};
}

at::Tensor rmsRows(const at::Tensor& x, double eps, const RmsWeight& weight) {
    constexpr std::int64_t kElementGrain = 1 << 14;
    at::Tensor result = x.clone(at::MemoryFormat::Contiguous);
    const std::int64_t width = result.size(-1);
    auto* const rows = static_cast<Bfloat16Bits*>(result.data_ptr());
    parallelRanges(result.numel() / width, std::max<std::int64_t>(1, kElementGrain / width),
                   [&](std::int64_t first, std::int64_t end) {
                       for (std::int64_t row = first; row < end; ++row) {
                           rmsNorm(rows + row * width, static_cast<std::size_t>(width),
                                   static_cast<float>(eps), weight);
                       }
                   });
    return result;
}

}  // namespace

at::Tensor normalise(const at::Tensor& x, const Norm& norm) {
    if (x.is_cpu() && x.scalar_type() == at::kBFloat16 && x.numel() > 0) {
        if (const auto weight = rmsWeight(norm, x.size(-1))) {
            return rmsRows(x, norm.eps, *weight);
        }
    }
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
