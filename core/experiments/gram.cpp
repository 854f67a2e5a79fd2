// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/gram.h"

#include "core/experiments/tensor_host.h"
#include "core/numerics/gram.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

namespace moescope::experiments {
namespace {

using numerics::Centring;

/// Elements of float64 temporaries made at once on a device.
constexpr std::int64_t kSlabColumns = 1 << 16;

/// In main memory our own passes serve; LibTorch would make a float64 copy of everything.
bool isPlain(const at::Tensor& x) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && x.stride(1) == 1;
}

void addPlain(at::Tensor& gram, const at::Tensor& x, numerics::GramOptions options) {
    options.threads = static_cast<unsigned>(at::get_num_threads());
    const numerics::RowsView view{x.data_ptr<float>(), static_cast<std::size_t>(x.size(0)),
                                  static_cast<std::size_t>(x.size(1)),
                                  static_cast<std::size_t>(x.stride(0))};
    numerics::addGram(view, options,
                      {gram.data_ptr<double>(), static_cast<std::size_t>(gram.numel())});
}

std::size_t rowsOf(const at::Tensor& x) {
    return static_cast<std::size_t>(x.size(0));
}

template <typename Use>
void forEachSlab(const at::Tensor& x, const Use& use) {
    for (std::int64_t first = 0; first < x.size(1); first += kSlabColumns) {
        const std::int64_t size = std::min(kSlabColumns, x.size(1) - first);
        use(x.narrow(1, first, size).to(at::kDouble, /*non_blocking=*/false, /*copy=*/true));
    }
}

}  // namespace

void addGram(at::Tensor& gram, const at::Tensor& x) {
    if (isPlain(x)) {
        return addPlain(gram, x, {.count = rowsOf(x)});
    }
    forEachSlab(x, [&](const at::Tensor& slab) { gram.addmm_(slab, slab.t()); });
}

void addRelativeGram(at::Tensor& gram, const at::Tensor& x, std::int64_t count,
                     std::int64_t reference) {
    if (isPlain(x)) {
        return addPlain(
            gram, x,
            {.centring = reference < 0 ? Centring::Mean : Centring::Row,
             .count = static_cast<std::size_t>(count),
             .reference = static_cast<std::size_t>(std::max<std::int64_t>(reference, 0))});
    }
    forEachSlab(x, [&](const at::Tensor& slab) {
        const at::Tensor rows = slab.narrow(0, 0, count);
        const at::Tensor base = reference < 0 ? rows.mean(0, true) : slab.narrow(0, reference, 1);
        const at::Tensor difference = rows - base;
        gram.addmm_(difference, difference.t());
    });
}

void addColumnwiseGram(at::Tensor& gram, const at::Tensor& x, bool standardised) {
    if (isPlain(x)) {
        return addPlain(gram, x,
                        {.centring = standardised ? Centring::Standardised : Centring::Mean,
                         .count = rowsOf(x)});
    }
    const double degrees = std::max(1.0, static_cast<double>(x.size(0)) - 1.0);
    forEachSlab(x, [&](const at::Tensor& slab) {
        // In place: the slab is a float64 copy of its own, whatever x is.
        const at::Tensor& centred = slab.sub_(slab.mean(0, true));
        if (standardised) {
            const at::Tensor deviation = centred.norm(2, {0}).div_(std::sqrt(degrees));
            // Equal float32 values have a float64 mean without rounding: exactly constant is 0.
            centred.div_(deviation.masked_fill(deviation.eq(0), 1.0));
        }
        gram.addmm_(centred, centred.t());
    });
}

std::uint64_t gramStateBytes(std::uint64_t rows, std::uint64_t columns) {
    const std::uint64_t onDevice =
        2 * rows * std::min<std::uint64_t>(kSlabColumns, columns) * sizeof(double);
    const auto threads = static_cast<unsigned>(at::get_num_threads());
    return rows * rows * sizeof(double) +
           std::max(onDevice, numerics::gramBytes(static_cast<std::size_t>(rows), threads));
}

engine::Effort gramEffort(std::uint64_t rows, std::uint64_t columns) {
    const auto values = static_cast<double>(rows) * static_cast<double>(columns);
    return {.operations = 2.0 * values * static_cast<double>(rows),
            .elements = 3.0 * values,
            .calls = 10.0};
}

std::vector<double> toVector(const at::Tensor& gram) {
    const at::Tensor host = toHost<double>(gram);
    const auto values = elements<double>(host);
    return {values.begin(), values.end()};
}

}  // namespace moescope::experiments
