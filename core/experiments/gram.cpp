// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/gram.h"

#include "core/experiments/tensor_host.h"

#include <algorithm>
#include <cmath>

namespace moescope::experiments {
namespace {

template <typename Use>
void forEachSlab(const at::Tensor& x, const Use& use) {
    for (std::int64_t first = 0; first < x.size(1); first += kGramSlab) {
        const std::int64_t size = std::min(kGramSlab, x.size(1) - first);
        use(x.narrow(1, first, size).to(at::kDouble, /*non_blocking=*/false, /*copy=*/true));
    }
}

}  // namespace

void addGram(at::Tensor& gram, const at::Tensor& x) {
    forEachSlab(x, [&](const at::Tensor& slab) { gram.addmm_(slab, slab.t()); });
}

void addRelativeGram(at::Tensor& gram, const at::Tensor& x, std::int64_t count,
                     std::int64_t reference) {
    forEachSlab(x, [&](const at::Tensor& slab) {
        const at::Tensor rows = slab.narrow(0, 0, count);
        const at::Tensor base = reference < 0 ? rows.mean(0, true) : slab.narrow(0, reference, 1);
        const at::Tensor difference = rows - base;
        gram.addmm_(difference, difference.t());
    });
}

void addColumnwiseGram(at::Tensor& gram, const at::Tensor& x, bool standardised) {
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

std::vector<double> toVector(const at::Tensor& gram) {
    const at::Tensor host = toHost<double>(gram);
    const auto values = elements<double>(host);
    return {values.begin(), values.end()};
}

}  // namespace moescope::experiments
