# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""B1: similarity of the experts' output vectors, per token and averaged."""

from __future__ import annotations

import numpy as np

from experiments.formulas import angular, cosine_matrix
from experiments.source import Array, Source


def per_token(outputs: Array) -> Array:
    """cos [T, N, N] of outputs [T, N, H]."""
    return np.stack([cosine_matrix(list(token)) for token in outputs])


def averaged(cosines: Array) -> Array:
    """Mean over tokens of the angular similarity, diagonal exactly 1."""
    mean = angular(cosines).mean(axis=0)
    np.fill_diagonal(mean, 1.0)
    return mean


def values(source: Source) -> dict[str, Array]:
    """cosine.LAYER [T, N, N] (float32 to stay small) and angular.LAYER [N, N].

    Relative: the mean of the E routed experts' outputs is taken from every column of that token.
    """
    result: dict[str, Array] = {}
    for index in source.layers:
        outputs = source.outputs(index)
        relative = outputs - outputs[:, : source.experts].mean(axis=1, keepdims=True)
        for prefix, vectors in (("", outputs), ("relative.", relative)):
            cosines = per_token(vectors)
            result[f"{prefix}angular.{index}"] = averaged(cosines)
            if not prefix:
                result[f"cosine.{index}"] = cosines.astype(np.float32)
    return result
