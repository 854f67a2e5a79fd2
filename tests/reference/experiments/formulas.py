# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Formulas that several experiments use, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Array = np.ndarray


def cosine(a: Array, b: Array) -> float:
    """a.b / (max(|a|, 1e-8) max(|b|, 1e-8)) over all entries; a zero vector gives 0."""
    a, b = a.reshape(-1), b.reshape(-1)
    return float(a @ b / (max(np.linalg.norm(a), 1e-8) * max(np.linalg.norm(b), 1e-8)))


def cosine_matrix(vectors: Sequence[Array]) -> Array:
    """All pairs."""
    return np.array([[cosine(a, b) for b in vectors] for a in vectors])


def angular(cosines: Array) -> Array:
    """1 - acos(clamp(cos)) / pi."""
    return 1.0 - np.arccos(np.clip(cosines, -1.0, 1.0)) / np.pi


def ascending_ranks(values: Array) -> Array:
    """Ranks 1 (smallest) to n (largest) along the last axis, ties by the lower index."""
    order = np.argsort(values, axis=-1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, values.shape[-1] + 1), axis=-1)
    return ranks
