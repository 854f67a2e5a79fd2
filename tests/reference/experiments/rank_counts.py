# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""B3: how often an expert of this score rank has that norm rank."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from experiments.formulas import ascending_ranks
from experiments.source import Array, Source


def count_table(scores: Array, norms: Array) -> Array:
    """count[score rank - 1, norm rank - 1] over tokens and experts."""
    experts = scores.shape[1]
    counts = np.zeros((experts, experts), dtype=np.int64)
    for score_ranks, norm_ranks in zip(ascending_ranks(scores), ascending_ranks(norms), strict=True):
        for score_rank, norm_rank in zip(score_ranks, norm_ranks, strict=True):
            counts[score_rank - 1, norm_rank - 1] += 1
    tokens = scores.shape[0]
    assert (counts.sum(0) == tokens).all() and (counts.sum(1) == tokens).all()
    return counts


def rho_of_table(counts: Array) -> float:
    """Spearman's rho of the pooled ranks, from the table alone."""
    ranks = np.arange(1, counts.shape[0] + 1) - (counts.shape[0] + 1) / 2
    return float(ranks @ counts @ ranks / (counts.sum(0) @ ranks**2))


def summary(counts: Array) -> Array:
    """Diagonal share, norm ranks whose most frequent score rank (the lower on ties) is the same, rho."""
    same = int((counts.argmax(axis=0) == np.arange(counts.shape[0])).sum())
    return np.array([np.trace(counts) / counts.sum(), same, rho_of_table(counts)])


def _tables(scores: dict[int, Array], norms: dict[int, Array], prefix: str) -> dict[str, Array]:
    tables = {index: count_table(scores[index], norms[index]) for index in scores}
    result = {f"{prefix}counts.{index}": table for index, table in tables.items()}
    result |= {f"{prefix}summary.{index}": summary(table) for index, table in tables.items()}
    total = np.sum(list(tables.values()), axis=0)
    return result | {f"{prefix}counts.all": total, f"{prefix}summary.all": summary(total)}


def values(source: Source) -> dict[str, Array]:
    """counts.LAYER and counts.all [E, E]; summary.* [3]; without_first.* leaves out each document's first token."""
    scores = {index: source.routed(index, "scores") for index in source.layers}
    norms = {index: source.routed(index, "expert_output_norms") for index in source.layers}
    result = _tables(scores, norms, "")
    for index in source.layers:
        ranks = zip(ascending_ranks(scores[index]), ascending_ranks(norms[index]), strict=True)  # ties by index
        tokens = [spearmanr(s, n).statistic for s, n in ranks]
        assert np.isclose(np.mean(tokens), result[f"summary.{index}"][2], atol=1e-12)
    rest = np.setdiff1d(np.arange(len(source.expected["token_ids"])), source.expected["document_offsets"])
    return result | _tables(
        {index: s[rest] for index, s in scores.items()},
        {index: n[rest] for index, n in norms.items()},
        "without_first.",
    )
