# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E2: how close a router's decisions are."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run

THRESHOLDS = (0.01, 0.05, 0.1)


def _gap(values_: Array, k: int) -> Array:
    ordered = -np.sort(-values_.astype(np.float64), axis=1)
    return ordered[:, k - 1] - ordered[:, k]


def values(run: Run) -> dict[str, Array]:
    """LAYER [T, 3]: margin of the score, margin of the logit, entropy of the score (natural logarithm);
    below.LAYER [thresholds]: share of tokens whose score margin is smaller."""
    result: dict[str, Array] = {}
    for layer, scores in run.scores.items():
        k = run.chosen[layer].shape[1]
        entropy = -(scores * np.log(scores, where=scores > 0, out=np.zeros_like(scores))).sum(axis=1)
        score_gap = _gap(scores, k)
        result[f"{layer}"] = np.stack([score_gap, _gap(run.logits[layer], k), entropy], axis=1)
        result[f"below.{layer}"] = np.array([(score_gap < t).mean() for t in THRESHOLDS])
    return result
