# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""D2: how often j is chosen where i is, and how often by chance (E3)."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import root
from scipy.stats import false_discovery_control, nchypergeom_fisher

from experiments.source import Array
from routing.run import Run


def _by_chance(load: Array, k: int) -> Array:
    """[E, E]: sets of k experts by the weights that give these loads, all of them counted."""
    sets = np.array(list(itertools.combinations(range(len(load)), k)))
    holds = np.zeros((len(sets), len(load)))
    np.put_along_axis(holds, sets, 1.0, axis=1)

    def chance(weights: Array) -> Array:
        likely = np.exp(holds @ weights)
        return likely / likely.sum()

    start = np.log(load / (1 - load))
    found = root(lambda weights: np.log(chance(weights) @ holds) - np.log(load), start, method="lm", tol=1e-14)
    both = (holds * chance(found.x)[:, None]).T @ holds
    assert np.allclose(np.diag(both), load, rtol=1e-10)
    return both


def _chance_of_more_or_fewer(together: Array, tokens: int, i: int, j: int, both: float) -> float:
    """Twice the smaller tail given both loads; `both` is the chance of the pair for a token."""
    a, b = together[i, i] / tokens, together[j, j] / tokens
    odds = both * (1 - a - b + both) / ((a - both) * (b - both))
    of = nchypergeom_fisher(tokens, int(together[i, i]), int(together[j, j]), odds)
    return min(1.0, 2 * min(of.cdf(together[i, j]), of.sf(together[i, j] - 1)))


def values(run: Run) -> dict[str, Array]:
    """LAYER [E, E]: N(i and j) / N(i); 0 for an expert never chosen. by_chance.LAYER [E, E]: share of tokens with both
    where tokens choose k experts by the loads alone. adjusted.LAYER [E (E-1) / 2] (rows below the diagonal): whether
    the pair differs from that, Benjamini-Hochberg over the pairs."""
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        together = np.zeros((run.experts, run.experts))
        for ids in chosen:
            for i in ids:
                for j in ids:
                    together[i, j] += 1
        alone = np.diag(together)[:, None]
        result[f"{layer}"] = np.divide(together, alone, out=np.zeros_like(together), where=alone > 0)
        both = _by_chance(np.diag(together) / len(chosen), chosen.shape[1])
        result[f"by_chance.{layer}"] = both
        below = zip(*np.tril_indices(run.experts, -1), strict=True)
        p_value = [_chance_of_more_or_fewer(together, len(chosen), i, j, both[i, j]) for i, j in below]
        result[f"adjusted.{layer}"] = false_discovery_control(p_value, method="bh")
    return result
