// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/session/quantity.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Shorthands for the arrays that several experiments keep.
namespace moescope::experiments {

/// An [N, N] matrix of similarities, kept as float32, both axes with the columns' labels.
[[nodiscard]] session::Quantity similarityMatrix(const std::string& name,
                                                 const std::string& longName,
                                                 const std::vector<std::string>& labels,
                                                 std::span<const double> values);

/// A single number on an axis "value" of length one.
[[nodiscard]] session::Quantity scalar(const std::string& name, const std::string& longName,
                                       double value);

/// "kept_tokens": which tokens of the text the maps of a part are of.
[[nodiscard]] session::Quantity tokenIndices(std::span<const std::uint64_t> tokens);

/// "random_deviation": the standard deviation of the cosine of two Gaussian vectors, 1 / sqrt(D);
/// its mean is 0.
[[nodiscard]] session::Quantity randomDeviation(double dimensions);

/// "Not finite: expert 3 and F, so their ... are missing." for the labels whose own entry on the
/// diagonal of a Gram matrix is not finite; empty when all are.
[[nodiscard]] std::string notFiniteWarning(const std::string& what,
                                           const std::vector<std::string>& labels,
                                           std::span<const double> gram);

}  // namespace moescope::experiments
