# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A3: similarity after the permutation of neurons that fits best, and how far it is from the identity."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import kendalltau

from experiments.formulas import cosine
from experiments.source import ROLES, Array, Source


def neurons(matrix: Array, role: str) -> Array:
    """[m, d]: rows of gate and up, columns of down."""
    return matrix.T if role == "down" else matrix


def neuron_similarity(a: Array, b: Array) -> Array:
    """cos of every neuron of a with every neuron of b, both [m, d]."""
    lengths = np.maximum(np.linalg.norm(a, axis=1)[:, None], 1e-8) * np.maximum(np.linalg.norm(b, axis=1), 1e-8)
    return a @ b.T / lengths


def best_permutation(similarity: Array) -> Array:
    """For each neuron of the first, the neuron of the second that it is matched with."""
    return linear_sum_assignment(similarity, maximize=True)[1]


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def _tau(permutation: Array) -> float:
    return float(kendalltau(permutation, np.arange(len(permutation))).statistic)


def _separate(matrices: list[Array], role: str) -> dict[str, Array]:
    count = len(matrices)
    matched, tau = np.eye(count), np.eye(count)
    permutations = np.tile(np.arange(len(neurons(matrices[0], role))), (count, count, 1))
    for i, j in _pairs(count):
        a, b = neurons(matrices[i], role), neurons(matrices[j], role)
        permutation = best_permutation(neuron_similarity(a, b))
        matched[i, j] = matched[j, i] = cosine(a, b[permutation])
        tau[i, j] = tau[j, i] = _tau(permutation)
        permutations[i, j], permutations[j, i] = permutation, np.argsort(permutation)
    return {"similarity": matched, "kendall_tau": tau, "permutation": permutations.astype(np.int32)}


def _joint(columns: dict[str, list[Array]]) -> dict[str, Array]:
    """One permutation for the three roles, from the sum of their neuron similarities."""
    count = len(columns["gate"])
    result = {f"similarity.{role}": np.eye(count) for role in ROLES} | {"kendall_tau": np.eye(count)}
    for i, j in _pairs(count):
        pairs = {role: (neurons(columns[role][i], role), neurons(columns[role][j], role)) for role in ROLES}
        permutation = best_permutation(np.sum([neuron_similarity(a, b) for a, b in pairs.values()], axis=0))
        result["kendall_tau"][i, j] = result["kendall_tau"][j, i] = _tau(permutation)
        for role, (a, b) in pairs.items():
            value = cosine(a, b[permutation])
            result[f"similarity.{role}"][i, j] = result[f"similarity.{role}"][j, i] = value
    return result


def values(source: Source) -> dict[str, Array]:
    """similarity, kendall_tau [N, N] and permutation [N, N, m] by LAYER.ROLE; joint.*.LAYER."""
    result: dict[str, Array] = {}
    for index in source.layers:
        columns = {role: source.columns(index, role) for role in ROLES}
        for role in ROLES:
            result |= {f"{name}.{index}.{role}": v for name, v in _separate(columns[role], role).items()}
        result |= {f"joint.{name}.{index}": value for name, value in _joint(columns).items()}
    return result
