# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E6: the way of a token through the first choices of consecutive mixture layers."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.stats import entropy

from experiments.source import Array
from routing.run import Run

MOST_FREQUENT = 10


def values(run: Run) -> dict[str, Array]:
    """transition.LAYER [E, E]: P(first choice j in the next mixture layer | i in LAYER), 0 where i never is first;
    independent.LAYER [E]: P(j) there; paths [10, L] by falling number of tokens, then by the ids; counts [10];
    effective [1]: exp of the entropy of the paths."""
    layers = sorted(run.chosen)
    first = np.stack([run.chosen[layer][:, 0] for layer in layers], axis=1)
    result: dict[str, Array] = {}
    for column, layer in enumerate(layers[:-1]):
        counts = np.zeros((run.experts, run.experts))
        for here, there in first[:, column : column + 2]:
            counts[here, there] += 1
        leaving = counts.sum(axis=1, keepdims=True)
        result[f"transition.{layer}"] = np.divide(counts, leaving, out=np.zeros_like(counts), where=leaving > 0)
        result[f"independent.{layer}"] = counts.sum(axis=0) / counts.sum()
    paths = sorted(Counter(map(tuple, first.tolist())).items(), key=lambda item: (-item[1], item[0]))
    kept = paths[:MOST_FREQUENT]
    return result | {
        "paths": np.array([path for path, _ in kept], dtype=np.int32),
        "counts": np.array([count for _, count in kept], dtype=np.int32),
        "effective": np.exp([entropy([count for _, count in paths])]),
    }
