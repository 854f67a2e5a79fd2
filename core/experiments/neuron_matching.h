// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"

#include <functional>
#include <span>
#include <vector>

/// Matching the neurons of two experts, one pair at a time.
namespace moescope::experiments {

/// Two columns of m neurons each with d weights, to be matched by these roles.
struct NeuronPair {
    int first = 0, second = 0;  ///< columns
    std::uint64_t neurons = 0;  ///< m
    std::uint64_t hiddenSize = 0;
    std::span<const engine::Role> roles;
    std::uint64_t tileRows = 0;  ///< neurons read at a time; 0: few enough for little memory
};

/// What matching says about one role.
struct RoleMatch {
    double similarity = 0.0;  ///< cosine of the flattened matrices after permuting the second
    double tau = 0.0;         ///< Kendall's tau-b of the permutation and the identity
    double plain = 0.0;       ///< cosine of the flattened matrices as they are (A1)
    double meanCosine = 0.0;  ///< mean over neurons of the cosine with the matched one
    /// For each neuron of the first the neuron of the second; the same for all roles when joint.
    std::vector<std::uint32_t> permutation;
};

/// The permutation of each role that maximises the sum of the neurons' cosines, or (joint) the one
/// that maximises it over all roles together. All NaN where a weight is NaN or infinite. The
/// similarities [m, m] are one matrix product in float32, in tiles of rows, so that no matrix of
/// weights is in memory as a whole; sums of products over matched neurons run in float64. `poll` is
/// called between tiles. Thread-safe.
[[nodiscard]] std::vector<RoleMatch> matchNeurons(const NeuronPair& pair, bool joint,
                                                  const engine::NeuronSource& source,
                                                  const std::function<void()>& poll);

/// Bytes that matchNeurons() holds at its peak.
[[nodiscard]] std::uint64_t matchingBytes(std::uint64_t neurons, std::uint64_t hiddenSize,
                                          bool joint);

/// Floating-point operations of matchNeurons() per role, solving the assignment included.
[[nodiscard]] double matchingOperations(std::uint64_t neurons, std::uint64_t hiddenSize);

/// Two columns of standard Gaussian neurons, always the same: the baseline at random.
class GaussianNeurons final : public engine::NeuronSource {
public:
    explicit GaussianNeurons(std::uint64_t hiddenSize) : m_hiddenSize(hiddenSize) {}
    [[nodiscard]] at::Tensor read(int column, engine::Role role, std::uint64_t first,
                                  std::uint64_t count) const override;

private:
    std::uint64_t m_hiddenSize;
};

}  // namespace moescope::experiments
