// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/numerics/average_linkage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace moescope::numerics {
namespace {

constexpr double kFar = 1e300;  ///< of NaN; means of it are finite

/// Clusters that are left, by the index of their first leaf.
class Clusters {
public:
    Clusters(std::span<const double> distances, std::size_t n)
        : m_n(n), m_leaf(n * n), m_between(n * n), m_rows(n), m_nearest(n) {
        for (std::size_t i = 0; i < n; ++i) {
            m_rows[i] = {i};
            for (std::size_t j = i + 1; j < n; ++j) {
                const double given = distances[i * n + j];
                const double distance = std::isnan(given) ? kFar : given;
                m_leaf[i * n + j] = m_leaf[j * n + i] = distance;
            }
        }
        m_between = m_leaf;
        for (std::size_t i = 0; i < n; ++i) {
            findNearest(i);
        }
    }

    /// Joins the nearest two; their distance.
    double merge() {
        std::size_t a = m_n;
        for (std::size_t i = 0; i < m_n; ++i) {
            if (m_nearest[i] < m_n && (a == m_n || at(i, m_nearest[i]) < at(a, m_nearest[a]))) {
                a = i;
            }
        }
        const std::size_t b = m_nearest[a];
        const double height = at(a, b);
        const auto sizeA = static_cast<double>(m_rows[a].size());
        const auto sizeB = static_cast<double>(m_rows[b].size());
        join(m_rows[a], m_rows[b]);
        for (std::size_t other = 0; other < m_n; ++other) {
            if (other != a && other != b && !m_rows[other].empty()) {
                const double mean =
                    sizeA / (sizeA + sizeB) * at(a, other) + sizeB / (sizeA + sizeB) * at(b, other);
                m_between[a * m_n + other] = m_between[other * m_n + a] = mean;
            }
        }
        findNearest(a);
        m_nearest[b] = m_n;
        for (std::size_t other = 0; other < m_n; ++other) {
            // A mean is no nearer than the nearer of the two: others keep what they have.
            if (!m_rows[other].empty() && (m_nearest[other] == a || m_nearest[other] == b)) {
                findNearest(other);
            }
        }
        return height;
    }

    [[nodiscard]] std::vector<std::size_t> row(std::size_t cluster) const {
        return m_rows[cluster];
    }

private:
    [[nodiscard]] double at(std::size_t i, std::size_t j) const { return m_between[i * m_n + j]; }

    /// The nearest of those behind it; m_n: there is none.
    void findNearest(std::size_t i) {
        m_nearest[i] = m_n;
        for (std::size_t j = i + 1; j < m_n; ++j) {
            if (!m_rows[j].empty() && (m_nearest[i] == m_n || at(i, j) < at(i, m_nearest[i]))) {
                m_nearest[i] = j;
            }
        }
    }

    /// Puts b's leaves behind a's, turned so that the ends that meet are the nearest.
    void join(std::vector<std::size_t>& a, std::vector<std::size_t>& b) const {
        const auto apart = [&](std::size_t i, std::size_t j) { return m_leaf[i * m_n + j]; };
        const std::array<double, 4> ends{apart(a.back(), b.front()), apart(a.back(), b.back()),
                                         apart(a.front(), b.front()), apart(a.front(), b.back())};
        const auto best = std::min_element(ends.begin(), ends.end()) - ends.begin();
        if (best >= 2) {
            std::reverse(a.begin(), a.end());
        }
        if (best % 2 == 1) {
            std::reverse(b.begin(), b.end());
        }
        a.insert(a.end(), b.begin(), b.end());
        b.clear();
    }

    std::size_t m_n;
    std::vector<double> m_leaf, m_between;         // [n, n]
    std::vector<std::vector<std::size_t>> m_rows;  // of leaves; empty: joined to another
    std::vector<std::size_t> m_nearest;
};

}  // namespace

Linkage averageLinkage(std::span<const double> distances, std::size_t n) {
    Linkage result;
    if (n == 0) {
        return result;
    }
    Clusters clusters(distances, n);
    for (std::size_t merges = 0; merges + 1 < n; ++merges) {
        result.heights.push_back(clusters.merge());
    }
    result.order = clusters.row(0);
    return result;
}

}  // namespace moescope::numerics
