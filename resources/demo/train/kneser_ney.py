# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interpolated modified Kneser-Ney n-grams (Chen and Goodman 1999) over rows of token ids, vectorised with sorted keys.

An n-gram is one 64-bit key of 12 bits per token, the newest token in the lowest bits; so a context is the key without them.
"""

from dataclasses import dataclass

import numpy as np

BITS = 12
VOCABULARY = 1 << BITS


@dataclass
class _Level:
    """One order: sorted n-gram keys with (continuation) counts, and the totals of every context."""

    keys: np.ndarray
    counts: np.ndarray
    discounts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    leftover: np.ndarray


def _keys(rows: np.ndarray, order: int) -> np.ndarray:
    """[rows, length - order + 1] keys of all n-grams inside the rows."""
    length = rows.shape[1] - order + 1
    keys = np.zeros((len(rows), length), dtype=np.uint64)
    for offset in range(order):
        keys = (keys << np.uint64(BITS)) | rows[:, offset : offset + length].astype(np.uint64)
    return keys


def discounts_of(counts: np.ndarray) -> np.ndarray:
    """D(0) = 0, D1, D2, D3+ from the counts of counts."""
    singles, doubles, triples, quadruples = (float(np.count_nonzero(counts == value)) for value in (1, 2, 3, 4))
    if min(singles, doubles, triples) == 0:
        return np.array([0.0, 0.5, 0.5, 0.5])
    ratio = singles / (singles + 2 * doubles)
    own = [1 - 2 * ratio * doubles / singles, 2 - 3 * ratio * triples / doubles, 3 - 4 * ratio * quadruples / triples]
    return np.array([0.0, *np.clip(own, 0.0, [1.0, 2.0, 3.0])])


def _level(keys: np.ndarray, counts: np.ndarray) -> _Level:
    discounts = discounts_of(counts)
    contexts, starts = np.unique(keys >> np.uint64(BITS), return_index=True)
    totals = np.add.reduceat(counts.astype(np.float64), starts)
    leftover = np.add.reduceat(discounts[np.minimum(counts, 3)], starts) / totals
    return _Level(keys, counts, discounts, contexts, totals, leftover)


def _find(sorted_keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions and whether they match."""
    positions = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    return positions, sorted_keys[positions] == wanted


class KneserNey:
    """The model; `rows` [n, length] of ids below 4096, n-grams are counted inside rows."""

    def __init__(self, rows: np.ndarray, order: int = 5) -> None:
        self.order = order
        self._levels: dict[int, _Level] = {}
        keys, counts = np.unique(_keys(rows, order), return_counts=True)
        for level in range(order, 0, -1):
            self._levels[level] = _level(keys, counts)
            mask = np.uint64((1 << (BITS * (level - 1))) - 1)
            # How many different tokens precede each shorter n-gram.
            keys, counts = np.unique(keys & mask, return_counts=True)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """P(token | the tokens before it in its row, at most order - 1), [n, length]."""
        result = np.full(rows.shape, 1.0 / VOCABULARY)
        for order in range(1, self.order + 1):
            result[:, order - 1 :] = self._interpolated(order, _keys(rows, order), result[:, order - 1 :])
        return result

    def _interpolated(self, order: int, keys: np.ndarray, lower: np.ndarray) -> np.ndarray:
        level = self._levels[order]
        context, known = _find(level.contexts, keys >> np.uint64(BITS))
        gram, seen = _find(level.keys, keys)
        counts = np.where(seen, level.counts[gram], 0)
        own = (counts - level.discounts[np.minimum(counts, 3)]) / level.totals[context]
        return np.where(known, own + level.leftover[context] * lower, lower)
