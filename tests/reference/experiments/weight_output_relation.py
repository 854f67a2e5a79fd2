# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""B6: do similar weights give similar outputs? Pairs of routed experts, strictly below the diagonal."""

from __future__ import annotations

import numpy as np
from scipy.stats import pearsonr, spearmanr

from experiments import matched_similarity, mean_neuron_similarity, output_similarity, weight_similarity
from experiments.router_similarity import lower
from experiments.source import ROLES, Array, Source


def values(source: Source) -> dict[str, Array]:
    """LAYER.ROLE [3, 2]: rows A1, A2, A3; columns Pearson, Spearman with the averaged B1."""
    count = source.experts
    matrix, mean = weight_similarity.values(source), mean_neuron_similarity.values(source)
    matched, outputs = matched_similarity.values(source), output_similarity.values(source)
    result: dict[str, Array] = {}
    for index in source.layers:
        target = lower(outputs[f"angular.{index}"][:count, :count])
        for role in ROLES:
            at = f"{index}.{role}"
            kinds = (matrix[at], mean[at], matched[f"similarity.{at}"])
            rows = [lower(kind[:count, :count]) for kind in kinds]
            result[at] = np.array([[pearsonr(r, target).statistic, spearmanr(r, target).statistic] for r in rows])
    return result
