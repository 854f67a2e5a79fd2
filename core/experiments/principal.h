// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

/// Principal components by way of the smaller side's symmetric matrix. For .cpp files of this
/// folder only.
namespace moescope::experiments {

/// The largest eigenvalues of a symmetric positive semidefinite matrix [n, n] in float64.
struct Leading {
    at::Tensor vectors;          ///< [n, count], orthonormal, on the CPU; zero beyond the n-th
    std::vector<double> values;  ///< [count], falling; zero beyond the n-th
    double total = 0.0;          ///< sum of all eigenvalues (the trace)
    /// Share of the variance that each component explains; 0 where there is none.
    [[nodiscard]] std::vector<double> explained() const;
};

/// Small matrices go to LAPACK, large ones to a block Lanczos method with full
/// reorthogonalisation, whose residuals are below 1e-9 of the largest eigenvalue. The matrix must
/// be finite.
[[nodiscard]] Leading leadingEigen(const at::Tensor& matrix, std::int64_t count);
/// Floating-point operations that it usually takes for a matrix [size, size], each in float64
/// counted as two.
[[nodiscard]] double leadingEigenOperations(std::int64_t size);

/// For each column of scores [n, count] 1 or -1, whichever makes the entry of largest magnitude
/// (the first of equally large ones) positive.
[[nodiscard]] std::vector<double> signsOf(const at::Tensor& scores);

}  // namespace moescope::experiments
