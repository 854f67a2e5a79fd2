// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/engine/probe.h"
#include "core/experiments/options.h"

#include <memory>

namespace moescope::experiments {

/// A5: experts and F as points: rows are flattened matrices, standardised by column (unbiased
/// deviation over the rows, constant columns 0) or only centred; two principal components by way of
/// the Gram matrix [N, N]. Standardisation is by column, so slabs of neurons add up. Keeps scores,
/// explained variance and DBSCAN's labels of the scores, -1 for an outlier.
[[nodiscard]] std::unique_ptr<engine::StaticProbe> makeExpertProjection(
    const ExperimentOptions& options);

}  // namespace moescope::experiments
