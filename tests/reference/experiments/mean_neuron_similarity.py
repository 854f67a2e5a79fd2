# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A2: cosine of the mean neuron. A neuron is a row of gate and up and a column of down."""

from __future__ import annotations

from experiments.formulas import cosine_matrix
from experiments.source import ROLES, Array, Source


def mean_neuron(matrix: Array, role: str) -> Array:
    """[d]"""
    return matrix.mean(axis=1 if role == "down" else 0)


def values(source: Source) -> dict[str, Array]:
    """LAYER.ROLE [N, N] of experts, F, S."""
    return {
        f"{index}.{role}": cosine_matrix([mean_neuron(m, role) for m in source.columns_of_any_width(index, role)])
        for index in source.layers
        for role in ROLES
    }
