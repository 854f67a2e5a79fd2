// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace moescope::numerics {

/// A perfect matching of rows with columns.
struct Assignment {
    std::vector<std::uint32_t> columnOf;  ///< [n], a permutation: row i is matched with columnOf[i]
    double total = 0.0;                   ///< sum of values[i, columnOf[i]]
};

/// How a solution was found; for tests and benchmarks.
struct AssignmentEffort {
    std::size_t rounds = 0;       ///< passes over the whole matrix that looked for better entries
    std::size_t coreEntries = 0;  ///< entries that were ever looked at beyond those passes
    bool dense = false;           ///< solved on the whole matrix
};

/// Linear assignment: the permutation that maximises the sum of values[i, permutation[i]] of a
/// matrix [n, n], row-major. Exact up to the rounding of float64 sums; which one of several equally
/// good permutations comes out is determined by the values alone.
///
/// Small matrices go to a dense shortest-augmenting-path solver (Jonker and Volgenant, Computing
/// 38, 1987). Large ones are solved on a sparse core, the best entries of each row and column; the
/// prices of that solution then prove optimality over the whole matrix in one vectorised pass, or
/// name the entries that would improve it, which join the core. A matrix whose core grows without
/// end goes to the dense solver, from the prices reached. Beside the matrix this needs some hundred
/// bytes per row.
///
/// Throws std::invalid_argument when the size does not fit or a value is NaN or infinite.
/// Thread-safe.
[[nodiscard]] Assignment maximumAssignment(std::span<const float> values, std::size_t n,
                                           AssignmentEffort* effort = nullptr);

}  // namespace moescope::numerics
