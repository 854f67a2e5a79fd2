// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/router_noise.h"

#include "core/engine/parallel_ranges.h"
#include "core/numerics/resampling.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace moescope::experiments {
namespace {

constexpr std::uint64_t kSeed = 0x4D6F6573636F7065ULL;

/// (0, 1].
double uniform(numerics::RandomBits& random) {
    return (static_cast<double>(random() >> 11U) + 1.0) * 0x1p-53;
}

void fillRow(std::uint64_t seed, float* row, std::int64_t width) {
    numerics::RandomBits random(seed);
    for (std::int64_t i = 0; i < width; i += 2) {
        const double radius = std::sqrt(-2.0 * std::log(uniform(random)));
        const double angle = 2.0 * std::numbers::pi * uniform(random);
        row[i] = static_cast<float>(radius * std::cos(angle));
        if (i + 1 < width) {
            row[i + 1] = static_cast<float>(radius * std::sin(angle));
        }
    }
}

at::Tensor asSet(const at::Tensor& chosen) {
    return std::get<0>(chosen.sort(1));
}

at::Tensor differs(const at::Tensor& chosen, const at::Tensor& intact) {
    return asSet(chosen).ne(intact).any(1).to(at::kByte);
}

}  // namespace

at::Tensor standardNormal(int layer, std::uint64_t firstToken, std::uint64_t count,
                          std::int64_t width) {
    at::Tensor noise = at::empty({static_cast<std::int64_t>(count), width}, at::kFloat);
    auto* const values = noise.data_ptr<float>();
    constexpr std::int64_t kRowsAtOnce = 16;
    engine::parallelRanges(
        static_cast<std::int64_t>(count), kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                // A stream of its own for each token: their seeds are random bits.
                numerics::RandomBits seeds(kSeed ^ (static_cast<std::uint64_t>(layer) << 48U) ^
                                           (firstToken + static_cast<std::uint64_t>(row)));
                fillRow(seeds(), values + row * width, width);
            }
        });
    return noise;
}

at::Tensor flipsOf(const engine::RouterTrial& router, const at::Tensor& noise,
                   const std::vector<double>& sizes) {
    const at::Tensor input = router.input();
    const at::Tensor intact = asSet(router.chosen(input));
    const at::Tensor scaled =
        noise.to(input.device()) * input.square().mean(1, /*keepdim=*/true).sqrt();
    std::vector<at::Tensor> columns;
    columns.reserve(sizes.size() + 1);
    for (const double size : sizes) {
        columns.push_back(differs(router.chosen(at::add(input, scaled, size)), intact));
    }
    columns.push_back(differs(router.chosenInBfloat16(input), intact));
    return at::stack(columns, 1);
}

}  // namespace moescope::experiments
