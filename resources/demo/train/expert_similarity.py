# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Similarities of expert weights, written as plainly as their definitions: matrix level, mean neuron, matched neurons."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import kendalltau

ROLES = ("gate", "up", "down")


@dataclass
class PairSimilarity:
    """Means over pairs of a layer, for one role."""

    matrix: float
    mean_neuron: float
    matched: float
    tau: float


def _cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first.ravel() @ second.ravel() / (np.linalg.norm(first) * np.linalg.norm(second)))


def _pair(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float, float]:
    """Neurons are rows. The permutation of the second's neurons maximises the summed cosine."""
    unit_first = first / np.linalg.norm(first, axis=1, keepdims=True)
    unit_second = second / np.linalg.norm(second, axis=1, keepdims=True)
    _, permutation = linear_sum_assignment(unit_first @ unit_second.T, maximize=True)
    tau = kendalltau(permutation, np.arange(len(permutation))).statistic
    return _cosine(first, second), _cosine(first.mean(0), second.mean(0)), _cosine(first, second[permutation]), float(tau)


def _neurons(matrices: np.ndarray, role: str) -> np.ndarray:
    """[..., m, d]: rows of gate and up, columns of down."""
    return np.swapaxes(matrices, -1, -2) if role == "down" else matrices


def layer_similarity(experts: np.ndarray, role: str) -> PairSimilarity:
    """experts [E, m, d] for gate and up, [E, d, m] for down."""
    neurons = _neurons(experts, role)
    count = len(neurons)
    values = np.array([_pair(neurons[i], neurons[j]) for i in range(count) for j in range(i)])
    return PairSimilarity(*values.mean(axis=0))


def baseline_similarity(experts: np.ndarray, dense: np.ndarray, role: str) -> PairSimilarity:
    """Means over the experts of their similarity with the dense model's feed-forward of the same layer."""
    fixed = _neurons(dense, role)
    values = np.array([_pair(fixed, expert) for expert in _neurons(experts, role)])
    return PairSimilarity(*values.mean(axis=0))
