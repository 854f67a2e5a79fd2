# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A4: similarity of router rows, and its regression on the similarity of mean neurons (A2)."""

from __future__ import annotations

import numpy as np
from scipy.stats import linregress

from experiments.formulas import cosine_matrix
from experiments.mean_neuron_similarity import mean_neuron
from experiments.source import ROLES, Array, Source


def lower(matrix: Array) -> Array:
    """The strictly lower triangle, row by row."""
    return matrix[np.tril_indices(matrix.shape[0], -1)]


def values(source: Source) -> dict[str, Array]:
    """router.LAYER [E, E]; regression.LAYER.ROLE: slope, intercept, r, r^2, p, stderr; mean_r2.ROLE."""
    result: dict[str, Array] = {}
    for index, layer in source.layers.items():
        router = cosine_matrix(list(layer.router))
        result[f"router.{index}"] = router
        for role in ROLES:
            weights = cosine_matrix([mean_neuron(m, role) for m in layer.experts[role]])
            fit = linregress(lower(weights), lower(router))
            result[f"regression.{index}.{role}"] = np.array(
                [fit.slope, fit.intercept, fit.rvalue, fit.rvalue**2, fit.pvalue, fit.stderr]
            )
    for role in ROLES:
        squares = [result[f"regression.{index}.{role}"][3] for index in source.layers]
        result[f"mean_r2.{role}"] = np.array([np.mean(squares)])
    return result
