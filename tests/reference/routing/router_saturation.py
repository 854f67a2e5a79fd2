# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""D1 and the agreement of B5: two checkpoints of one model on one text."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run


def saturation(a: Array, b: Array, k: int) -> float:
    """Mean over tokens of the shared part of the k first choices."""
    return float(np.mean([len(set(x[:k]) & set(y[:k])) / k for x, y in zip(a, b, strict=True)]))


def values(run: Run, other: Run) -> dict[str, Array]:
    """LAYER [k] for k' = 1 … k; agreement.LAYER [2]: same first choice, same set; other_chosen.LAYER."""
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        theirs = other.chosen[layer]
        same_set = [set(x) == set(y) for x, y in zip(chosen, theirs, strict=True)]
        result |= {
            f"{layer}": np.array([saturation(chosen, theirs, k) for k in range(1, chosen.shape[1] + 1)]),
            f"agreement.{layer}": np.array([(chosen[:, 0] == theirs[:, 0]).mean(), np.mean(same_set)]),
            f"other_chosen.{layer}": theirs,
        }
    return result
