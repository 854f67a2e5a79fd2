// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace moescope::numerics {

/// A hierarchical clustering drawn as a tree, read from left to right.
struct Linkage {
    std::vector<double> heights;     ///< [n - 1] of the merges, ascending
    std::vector<std::size_t> order;  ///< [n] every leaf once, alike ones near each other
};

/// Average linkage (UPGMA; Sokal and Michener 1958) of n things by their distances [n, n], of which
/// the entries above the diagonal are read; heights are those of scipy.cluster.hierarchy.linkage.
/// Each merge puts those ends of its two rows of leaves together that lie nearest to each other.
/// Ties go to the lower index; NaN is farther than anything. O(n^3) at most, O(n^2) memory. Pure;
/// safe from any thread.
[[nodiscard]] Linkage averageLinkage(std::span<const double> distances, std::size_t n);

}  // namespace moescope::numerics
