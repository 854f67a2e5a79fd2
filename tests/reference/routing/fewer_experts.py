# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C6: loss with fewer experts per token, and with only the most used experts from a layer on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from experiments.source import Array
from routing.loss import summary
from routing.run import Change, Model, Run


def most_used(chosen: Array, experts: int, kept: int) -> Array:
    """Ids of the experts with the highest load, ties to the lower id."""
    load = np.bincount(chosen.ravel(), minlength=experts)
    return np.argsort(-load, kind="stable")[:kept]


def keeping(run: Run, kept: int, start: int) -> Change:
    """A change that bars all but the most used experts of each layer from `start` on."""

    def change(layer: int, logits: Tensor) -> Tensor:
        if layer < start:
            return logits
        changed = logits.clone()
        barred = np.setdiff1d(np.arange(run.experts), most_used(run.chosen[layer], run.experts, kept))
        changed[:, barred.tolist()] = float("-inf")
        return changed

    return change


def values(run: Run, model: Model, layers: Sequence[int] = ()) -> dict[str, Array]:
    """chosen [k, 4] for k' = 1 … k; kept [layers, E - k + 1, 4]: from that layer on (every mixture layer unless named),
    the column + k most used experts (the last column is the intact model). Columns as in C4."""
    intact = model.logits()
    layers, k = layers or sorted(run.chosen), next(iter(run.chosen.values())).shape[1]
    counts = range(k, run.experts + 1)
    return {
        "chosen": np.array([summary(run, model.logits(chosen=n), intact) for n in range(1, k + 1)]),
        "kept": np.array(
            [[summary(run, model.logits(keeping(run, n, layer)), intact) for n in counts] for layer in layers]
        ),
    }
