# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vectorised model against the formulas written with dictionaries."""

import sys
import unittest
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import kneser_ney  # noqa: E402

Gram = tuple[int, ...]


class Plain:
    """Modified Kneser-Ney, one dictionary per order."""

    def __init__(self, rows: np.ndarray, order: int) -> None:
        grams = Counter(tuple(int(t) for t in row[i : i + order]) for row in rows for i in range(len(row) - order + 1))
        self.counts: dict[int, dict[Gram, int]] = {order: dict(grams)}
        for shorter in range(order - 1, 0, -1):
            before: dict[Gram, set[int]] = defaultdict(set)
            for gram in self.counts[shorter + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[shorter] = {gram: len(tokens) for gram, tokens in before.items()}

    def discount(self, order: int, count: int) -> float:
        n = Counter(self.counts[order].values())
        if min(n[1], n[2], n[3]) == 0:
            return 0.5 if count else 0.0
        y = n[1] / (n[1] + 2 * n[2])
        values = {0: 0.0, 1: 1 - 2 * y * n[2] / n[1], 2: 2 - 3 * y * n[3] / n[2]}
        return min(max(values.get(count, 3 - 4 * y * n[4] / n[3]), 0.0), max(min(count, 3), 0))

    def probability(self, context: Gram, token: int) -> float:
        order = len(context) + 1
        lower = 1 / kneser_ney.VOCABULARY if order == 1 else self.probability(context[1:], token)
        after = {gram: count for gram, count in self.counts[order].items() if gram[:-1] == context}
        if not after:
            return lower
        total = sum(after.values())
        count = after.get((*context, token), 0)
        leftover = sum(self.discount(order, c) for c in after.values())
        return (count - self.discount(order, count)) / total + leftover / total * lower


class KneserNeyTest(unittest.TestCase):
    def setUp(self) -> None:
        generator = np.random.default_rng(5)
        self.rows = np.minimum(generator.geometric(0.25, size=(40, 30)), 12).astype(np.uint16)
        self.other = np.minimum(generator.geometric(0.2, size=(4, 30)), 15).astype(np.uint16)

    def test_equals_plain_formulas(self) -> None:
        for order in (1, 2, 3, 5):
            fast, plain = kneser_ney.KneserNey(self.rows, order), Plain(self.rows, order)
            got = fast.probabilities(self.other)
            for r, row in enumerate(self.other):
                for i, token in enumerate(row):
                    context = tuple(int(t) for t in row[max(0, i - order + 1) : i])
                    self.assertAlmostEqual(got[r, i], plain.probability(context, int(token)), places=12)

    def test_sums_to_one(self) -> None:
        model = kneser_ney.KneserNey(self.rows, 3)
        for context in ((1, 2), (3, 9), (12, 12), (4000, 1)):
            table = np.array([[*context, token] for token in range(kneser_ney.VOCABULARY)], dtype=np.uint16)
            self.assertAlmostEqual(model.probabilities(table)[:, 2].sum(), 1.0, places=9)


if __name__ == "__main__":
    unittest.main()
