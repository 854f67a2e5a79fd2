# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E3: bootstrap over documents, permutation of their domains, Benjamini-Hochberg."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control

from experiments.source import Array
from routing.run import Run

RESAMPLES = 200
LEVELS = (0.025, 0.975)


def _counts(run: Run, layer: int) -> Array:
    """Assignments of each document, [D, E]."""
    spans = list(zip(run.offsets[:-1], run.offsets[1:], strict=True))
    ids = run.chosen[layer]
    return np.array([np.bincount(ids[a:b].ravel(), minlength=run.experts) for a, b in spans])


def _share(counts: Array, labels: Array, domains: int) -> Array:
    """C1 for either choice [domains, E] of documents with these labels."""
    rows = np.array([counts[labels == d].sum(axis=0) for d in range(domains)], dtype=np.float64)
    return rows / rows.sum(axis=1, keepdims=True)


def values(run: Run) -> dict[str, Array]:
    """Cells are [domains, E]; the statistic is C1 for either choice.

    resamples [R, D]: documents drawn anew, each from its own domain; interval.LAYER [2, cells]: quantiles 0.025 and
    0.975 (linear) over them. permutations [R, D]: the documents' domains in random order; p_value.LAYER:
    (1 + n) / (1 + R) where n of them are at least as far from the permutations' mean as the text is; adjusted.LAYER: Benjamini-Hochberg
    over all cells of the layer.
    """
    generator = np.random.Generator(np.random.PCG64(303))
    labels = np.array([run.names.index(domain) for domain in run.domains])
    members = [np.flatnonzero(labels == label) for label in labels]
    resamples = np.array([[generator.choice(m) for m in members] for _ in range(RESAMPLES)])
    permutations = np.array([generator.permutation(labels) for _ in range(RESAMPLES)])
    result: dict[str, Array] = {
        "resamples": resamples.astype(np.int32),
        "permutations": permutations.astype(np.int32),
    }
    for layer in run.chosen:
        counts = _counts(run, layer)
        domains = len(run.names)
        drawn = np.array([_share(counts[rows], labels, domains) for rows in resamples])
        result[f"interval.{layer}"] = np.quantile(drawn, LEVELS, axis=0)
        shuffled = np.array([_share(counts, order, domains) for order in permutations])
        mean = shuffled.mean(axis=0)
        observed = np.abs(_share(counts, labels, domains) - mean)
        further = (np.abs(shuffled - mean) >= observed - 1e-12).sum(axis=0)
        p_value = (1 + further) / (1 + RESAMPLES)
        result[f"p_value.{layer}"] = p_value
        result[f"adjusted.{layer}"] = false_discovery_control(p_value.ravel(), method="bh").reshape(p_value.shape)
    return result
