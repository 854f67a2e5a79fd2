// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/gram.h"

#include "core/experiments/tensor_host.h"

#include <algorithm>

namespace moescope::experiments {
namespace {

template <typename Use>
void forEachSlab(const at::Tensor& x, const Use& use) {
    for (std::int64_t first = 0; first < x.size(1); first += kGramSlab) {
        const std::int64_t size = std::min(kGramSlab, x.size(1) - first);
        use(x.narrow(1, first, size).to(at::kDouble));
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

std::vector<double> toVector(const at::Tensor& gram) {
    const at::Tensor host = toHost<double>(gram);
    const auto values = elements<double>(host);
    return {values.begin(), values.end()};
}

}  // namespace moescope::experiments
