# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E1: measures of how much an expert matters."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run

#: A super expert's largest output is above this percentile of all experts, and a tenth of the largest.
PERCENTILE = 99.5
FIRST_SHARE_OF_LAYERS = 0.75
COLUMNS = ("frequency", "mean_weight", "ean_sum", "ean_mean", "reap", "largest_output")


def values(run: Run) -> dict[str, Array]:
    """table [L, E, 6] in the order of COLUMNS, each over the expert's own tokens (frequency: its share of
    tokens; 0 where it has none); super_expert [L, E] (int8)."""
    layers = sorted(run.chosen)
    table = np.zeros((len(layers), run.experts, len(COLUMNS)))
    for row, layer in enumerate(layers):
        for expert in range(run.experts):
            tokens, place = np.nonzero(run.chosen[layer] == expert)
            if len(tokens) == 0:
                continue
            weights = run.weights[layer][tokens, place].astype(np.float64)
            norms = run.norms[layer][tokens, expert].astype(np.float64)
            largest = np.abs(run.outputs[layer][tokens, expert]).max()
            table[row, expert] = [
                len(tokens) / len(run.ids),
                weights.mean(),
                norms.sum(),
                norms.mean(),
                (weights * norms).mean(),
                largest,
            ]
    considered = int(np.ceil(FIRST_SHARE_OF_LAYERS * len(layers)))
    largest = table[:, :, -1]
    flags = (largest > np.percentile(largest, PERCENTILE)) & (largest > largest.max() / 10)
    flags[considered:] = False
    return {"table": table, "super_expert": flags.astype(np.int8)}
