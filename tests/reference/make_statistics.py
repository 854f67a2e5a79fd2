# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Correlations, regressions and clusters from SciPy and scikit-learn, for values that the test makes again.

python tests/reference/make_statistics.py

Every value comes from splitmix64 as in make_assignment.py, so that the test needs no numbers on disk.
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.cluster.hierarchy import linkage
from scipy.special import betainc
from scipy.stats import kendalltau, linregress, nchypergeom_fisher, pearsonr, rankdata, spearmanr
from sklearn.cluster import DBSCAN

from make_assignment import DATA, uniform

KINDS = ("unrelated", "related", "ties", "x_ties", "falling", "shifted")
SIZES = (3, 4, 7, 28, 64, 300, 3000)
BETA = ((0.5, 0.5), (1.0, 0.5), (3.5, 0.5), (13.0, 0.5), (13.0, 2.5), (0.25, 40.0), (16319.0, 0.5))
PLACES = (0.0, 1e-12, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999, 0.999999, 1.0)


def points(kind: str, seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y [n]; exact operations only, so that C++ makes the same values."""
    u, v = (uniform(seed + i, n).astype(np.float64) for i in range(2))
    if kind == "related":
        return u, u + v * 0.5
    if kind == "ties":
        return np.floor(u * 4), np.floor((u + v) * 3)
    if kind == "x_ties":
        return np.floor(u * 5), u + v
    if kind == "falling":
        return u, v * 0.03125 - u * 4
    if kind == "shifted":  # both far from zero, with little spread
        return u * 0.0009765625 + 1024, v * 0.0009765625 + u * 0.0009765625 - 2048
    return u, v


def _pair(kind: str, seed: int, n: int) -> dict[str, object]:
    x, y = points(kind, seed, n)
    line = linregress(x, y)
    return {
        "kind": kind,
        "seed": seed,
        "n": n,
        "pearson": float(pearsonr(x, y).statistic),
        "spearman": float(spearmanr(x, y).statistic),
        "kendall": float(kendalltau(x, y, variant="b").statistic),
        "rank_sum_of_squares": float((rankdata(x) ** 2).sum()),
        "slope": float(line.slope),
        "intercept": float(line.intercept),
        "p": float(line.pvalue),
        "stderr": float(line.stderr),
    }


def _permutation(seed: int, n: int) -> dict[str, object]:
    order = np.argsort(uniform(seed, n), kind="stable")
    return {"seed": seed, "n": n, "kendall": float(kendalltau(order, np.arange(n)).statistic)}


def cloud(seed: int, n: int) -> np.ndarray:
    """[n, 2]: heaps of several densities around a few centres, and strays."""
    centre, spread, a, b = (uniform(seed + i, n).astype(np.float64) for i in range(4))
    heap = np.floor(centre * 5)
    width = np.where(spread < 0.125, 64.0, 1.0 + heap)
    return np.stack([heap * 8 + a * width, np.floor(heap / 2) * 16 - b * width], axis=1)


def _clusters(seed: int, n: int, radius: float, least: int) -> dict[str, object]:
    labels = DBSCAN(eps=radius, min_samples=least).fit_predict(cloud(seed, n))
    return {"seed": seed, "n": n, "radius": radius, "least": least, "labels": labels.tolist()}


def _both(seed: int, experts: int, k: int) -> dict[str, object]:
    """Sets of k experts, each as likely as the product of its experts' weights: by counting them all."""
    weights = np.floor(uniform(seed, experts).astype(np.float64) * 15 + 1) ** 2
    sets = np.array(list(itertools.combinations(range(experts), k)))
    chance = weights[sets].prod(axis=1)
    holds = np.zeros((len(sets), experts))
    np.put_along_axis(holds, sets, 1.0, axis=1)
    both = (holds * (chance / chance.sum())[:, None]).T @ holds
    below = np.tril_indices(experts, -1)
    return {"k": k, "chances": np.diag(both).tolist(), "both": both[below].tolist()}


def _tails(tokens: int, first: int, second: int, both: int, chance: float) -> dict[str, object]:
    """Of tokens that each choose both experts with `chance` and each as often as counted, given those counts."""
    a, b = first / tokens, second / tokens
    odds = chance * (1 - a - b + chance) / ((a - chance) * (b - chance))
    fisher = nchypergeom_fisher(tokens, first, second, odds)
    numbers = np.arange(max(0, first + second - tokens), min(first, second) + 1)
    likely = fisher.pmf(numbers)
    return {
        "counts": [tokens, first, second, both],
        "chance": chance,
        "at_most": float(likely[numbers <= both].sum()),
        "at_least": float(likely[numbers >= both].sum()),
    }


def _linkage(seed: int, n: int) -> dict[str, object]:
    upper = np.floor(uniform(seed, n * (n - 1) // 2).astype(np.float64) * 1000) / 1000
    return {"n": n, "distances": upper.tolist(), "heights": linkage(upper, "average")[:, 2].tolist()}


def make_statistics(data: Path) -> None:
    """Writes numerics/statistics.json below `data`."""
    values: dict[str, list[object]] = {
        "pairs": [_pair(kind, 100 * i + 7 * n, n) for i, kind in enumerate(KINDS) for n in SIZES],
        "permutations": [_permutation(9000 + n, n) for n in (2, 3, 8, 64, 1000, 5632)],
        "beta": [{"a": a, "b": b, "x": x, "value": float(betainc(a, b, x))} for a, b in BETA for x in PLACES],
        "clusters": [
            _clusters(20 + n, n, radius, least)
            for n in (1, 5, 9, 64, 400)
            for radius, least in ((0.5, 3), (1.25, 5), (3.0, 1), (50.0, 5))
        ],
    }
    values["both"] = [_both(70 + e, e, k) for e, k in ((3, 2), (5, 4), (6, 2), (8, 2), (9, 5), (20, 3))]
    values["linkage"] = [_linkage(500 + n, n) for n in (2, 3, 8, 24)]
    values["tails"] = [
        _tails(t, *counts, chance)
        for t, counts, chance in (
            (20, (7, 5, 3), 0.0875),  # independent: the plain hypergeometric distribution
            (20, (7, 5, 0), 0.0875),
            (20, (15, 12, 9), 0.4),
            (60, (15, 15, 8), 1 / 28),  # 2 of 8 with equal loads
            (4000, (1000, 900, 130), 1 / 28),
            (4000, (1000, 900, 180), 0.04),
            (30000, (900, 6000, 60), 0.004),
        )
    ]
    assert all(math.isfinite(pair["kendall"]) for pair in values["pairs"])
    head = {
        "script": "tests/reference/make_statistics.py",
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    output = data / "numerics" / "statistics.json"
    lines = [json.dumps(head)[:-1]]
    for name, rows in values.items():
        lines.append(f', "{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    output.write_text("".join(lines) + "}\n")


if __name__ == "__main__":
    make_statistics(DATA)
