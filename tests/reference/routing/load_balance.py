# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C5: how evenly tokens are spread over experts."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run

BATCH = 32
CAPACITY_FACTORS = (0.5, 1.0, 1.25, 2.0)
DEVICES = (2, 3)


def balance(load: Array) -> Array:
    """max / mean, coefficient of variation (population), normalised entropy, experts never chosen."""
    share = load / load.sum()
    positive = share[share > 0]
    entropy = -(positive * np.log(positive)).sum() / np.log(len(load))
    return np.array([load.max() / load.mean(), load.std() / load.mean(), entropy, (load == 0).sum()])


def dropped(load: Array, factor: float) -> float:
    """Share of assignments over a capacity of ceil(factor * assignments / experts) per expert."""
    capacity = np.ceil(factor * load.sum() / len(load))
    return float(np.maximum(load - capacity, 0).sum() / load.sum())


def contiguous(load: Array, devices: int) -> Array:
    """Expert e on device floor(e * devices / experts)."""
    place = np.arange(len(load)) * devices // len(load)
    return np.bincount(place, weights=load, minlength=devices)


def greedy(load: Array, devices: int) -> Array:
    """Experts by falling load (ties: lower id), each to the device with the least so far (ties: lower)."""
    total = np.zeros(devices)
    for expert in np.argsort(-load, kind="stable"):
        total[total.argmin()] += load[expert]
    return total


def values(run: Run) -> dict[str, Array]:
    """load.LAYER [E], balance.LAYER [4], batch_balance.LAYER [batches, 4] over consecutive tokens (a last
    shorter one included), dropped.LAYER [factors], slowdown.LAYER [devices, 2] (contiguous, greedy)."""
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        load = np.bincount(chosen.ravel(), minlength=run.experts)
        batches = [chosen[i : i + BATCH] for i in range(0, len(chosen), BATCH)]
        counts = [np.bincount(b.ravel(), minlength=run.experts) for b in batches]
        placed = [[contiguous(load, g), greedy(load, g)] for g in DEVICES]
        result |= {
            f"load.{layer}": load,
            f"balance.{layer}": balance(load),
            f"batch_balance.{layer}": np.array([balance(c) for c in counts]),
            f"dropped.{layer}": np.array([dropped(load, f) for f in CAPACITY_FACTORS]),
            f"slowdown.{layer}": np.array([[p.max() / p.mean() for p in row] for row in placed]),
        }
    return result
