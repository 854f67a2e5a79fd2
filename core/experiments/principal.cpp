// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/experiments/principal.h"

#include "core/experiments/tensor_host.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

namespace moescope::experiments {
namespace {

/// Up to here a full decomposition is quick.
constexpr std::int64_t kFullAtMost = 768;
constexpr std::int64_t kBlock = 8;
constexpr std::int64_t kMostSteps = 120;
constexpr double kResidual = 1e-9;
constexpr double kFloat64 = 2.0;  ///< operations in float64 take twice as long

/// The largest `count` of eigh()'s ascending ones, falling.
Leading fromFull(const at::Tensor& matrix, std::int64_t count) {
    const auto [values, vectors] = at::linalg_eigh(matrix);
    Leading leading;
    leading.vectors = vectors.flip(1).narrow(1, 0, count).contiguous();
    const at::Tensor falling = values.flip(0).narrow(0, 0, count).contiguous();
    for (const double value : elements<double>(falling)) {
        leading.values.push_back(std::max(value, 0.0));
    }
    return leading;
}

/// The part of `block` that lies outside the span of `basis`, orthonormal. Twice is enough.
at::Tensor orthonormalised(at::Tensor block, const at::Tensor& basis) {
    for (int pass = 0; pass < 2; ++pass) {
        if (basis.defined()) {
            block = block - basis.mm(basis.t().mm(block));
        }
        block = std::get<0>(at::linalg_qr(block));
    }
    return block;
}

/// Golub and Underwood's block Lanczos; the block finds eigenvalues that occur several times.
Leading fromKrylov(const at::Tensor& matrix, std::int64_t count) {
    const std::int64_t n = matrix.size(0);
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{7});
    at::Tensor basis;
    at::Tensor images;  // matrix times basis
    at::Tensor block = at::randn({n, kBlock}, generator, matrix.options());
    Leading leading;
    for (std::int64_t step = 1; step <= kMostSteps; ++step) {
        block = orthonormalised(block, basis);
        const at::Tensor image = matrix.mm(block);
        basis = basis.defined() ? at::cat({basis, block}, 1) : block;
        images = images.defined() ? at::cat({images, image}, 1) : image;
        block = image;
        const bool full = (step + 1) * kBlock > n;
        if (step % 4 != 0 && !full && step != kMostSteps) {
            continue;
        }
        const at::Tensor small = basis.t().mm(images);
        leading = fromFull((small + small.t()) * 0.5, count);
        const at::Tensor ritz = leading.vectors;
        leading.vectors = basis.mm(ritz);
        const at::Tensor scale = at::tensor(leading.values, matrix.options());
        const at::Tensor residuals = (images.mm(ritz) - leading.vectors * scale).norm(2, {0});
        if (full || residuals.max().item<double>() <= kResidual * leading.values.front()) {
            return leading;
        }
    }
    return fromFull(matrix, count);  // did not converge: slower, but right
}

}  // namespace

std::vector<double> Leading::explained() const {
    std::vector<double> shares(values);
    for (double& share : shares) {
        share = total > 0.0 ? share / total : 0.0;
    }
    return shares;
}

Leading leadingEigen(const at::Tensor& matrix, std::int64_t count) {
    const at::Tensor host = toHost<double>(matrix);
    const std::int64_t found = std::min(count, host.size(0));
    Leading leading = host.size(0) <= kFullAtMost ? fromFull(host, found) : fromKrylov(host, found);
    leading.total = host.trace().item<double>();
    if (found < count) {
        leading.vectors = at::constant_pad_nd(leading.vectors, {0, count - found});
        leading.values.resize(static_cast<std::size_t>(count), 0.0);
    }
    return leading;
}

double leadingEigenOperations(std::int64_t size) {
    const auto n = static_cast<double>(size);
    if (size <= kFullAtMost) {
        constexpr double kOfEigh = 9.0;  // n^3: reduction, its vectors and the way back
        return kFloat64 * kOfEigh * n * n * n;
    }
    constexpr double kUsualSteps = 60.0;
    constexpr double kBlockSize = kBlock;
    const double images = 2.0 * n * n * kBlockSize * kUsualSteps;
    const double bases = 2.0 * 4.0 * n * kBlockSize * kBlockSize * kUsualSteps * kUsualSteps / 2.0;
    return kFloat64 * (images + bases);
}

std::vector<double> signsOf(const at::Tensor& scores) {
    const at::Tensor host = toHost<double>(scores);
    const auto values = elements<double>(host);
    const auto columns = static_cast<std::size_t>(host.size(1));
    std::vector<double> largest(columns, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        double& most = largest[i % columns];
        most = std::abs(values[i]) > std::abs(most) ? values[i] : most;
    }
    for (double& sign : largest) {
        sign = sign < 0.0 ? -1.0 : 1.0;
    }
    return largest;
}

}  // namespace moescope::experiments
