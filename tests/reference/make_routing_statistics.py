# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of routing by plain NumPy, written from the definitions, for small random choices.

python tests/reference/make_routing_statistics.py
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
from scipy.stats import false_discovery_control

from make_assignment import DATA

# experts, chosen, documents' lengths, groups of documents (-1: none)
CASES = (
    (8, 2, (40, 1, 25, 30, 0, 44), (0, 0, 1, 1, 2, 2)),
    (16, 4, (50, 60, 70, 20), (0, 1, 1, 0)),
    (64, 8, (120, 80), (0, -1)),
    (5, 1, (33,), (0,)),
    (4, 3, (20, 21, 22), (0, 1, 2)),
)
BATCH = 16
CAPACITY = 1.25
DEVICES = 3


def _overlap(experts: int, k: int) -> float:
    """Share of all sets of k that meet a fixed one, by enumeration."""
    sets = list(itertools.combinations(range(experts), k))
    fixed = set(range(k))
    return sum(bool(fixed & set(other)) for other in sets) / len(sets)


def _greedy(counts: np.ndarray, devices: int) -> float:
    load = [0] * devices
    for count in sorted(counts.tolist(), reverse=True):
        load[load.index(min(load))] += count
    return max(load) / (sum(load) / devices)


def _contiguous(counts: np.ndarray, devices: int) -> float:
    places = np.arange(len(counts)) * devices // len(counts)
    load = np.bincount(places, weights=counts, minlength=devices).tolist()
    return max(load) / (sum(load) / devices)


def _case(experts: int, k: int, lengths: tuple, groups: tuple, rng: np.random.Generator) -> dict:
    tokens = sum(lengths)
    skew = rng.normal(size=experts)
    scores = rng.normal(size=(tokens, experts)) + skew
    ids = np.argsort(-scores, axis=1)[:, :k]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    one_hot = np.zeros((tokens, experts), int)
    np.put_along_axis(one_hot, ids, 1, axis=1)
    counts = one_hot.sum(0)
    share = counts / counts.sum()
    inside = np.ones(tokens, bool)
    inside[offsets[:-1][np.array(lengths) > 0]] = False
    positions = np.flatnonzero(inside)
    same = ids[positions, 0] == ids[positions - 1, 0]
    overlap = (one_hot[positions] * one_hot[positions - 1]).sum(1) > 0
    batch = min(BATCH, tokens)
    whole = one_hot[: tokens // batch * batch].reshape(-1, batch, experts).sum(1)
    ratios = whole.max(1) / whole.mean(1)
    capacity = math.ceil(CAPACITY * batch * k / experts)
    per_document = np.array([one_hot[a:b].sum(0) for a, b in zip(offsets[:-1], offsets[1:], strict=True)])
    rows = [per_document[np.array(groups) == g].sum(0) for g in range(max(groups) + 1)]
    rows.append(per_document.sum(0))
    shares = [(row / row.sum()).tolist() if row.sum() else None for row in rows]
    return {
        "experts": experts,
        "k": k,
        "offsets": offsets.tolist(),
        "groups": list(groups),
        "ids": ids.ravel().tolist(),
        "first_counts": np.bincount(ids[:, 0], minlength=experts).tolist(),
        "counts": counts.tolist(),
        "pairs": (one_hot.T @ one_hot).ravel().tolist(),
        "positions": int(len(positions)),
        "same_first": int(same.sum()),
        "overlapping": int(overlap.sum()),
        "max_over_mean": float(counts.max() / counts.mean()),
        "variation": float(counts.std() / counts.mean()),
        "entropy": float(-(share[share > 0] * np.log(share[share > 0])).sum() / math.log(experts)),
        "idle": int((counts == 0).sum()),
        "lorenz": np.concatenate([[0], np.cumsum(np.sort(counts))]).tolist(),
        "batch": {
            "batches": len(whole),
            "mean": float(ratios.mean()),
            "worst": float(ratios.max()),
            "dropped": float(np.maximum(whole - capacity, 0).sum() / (len(whole) * batch * k)),
        },
        "contiguous": _contiguous(counts, DEVICES),
        "greedy": _greedy(counts, DEVICES),
        "shares": shares,
    }


def make_routing_statistics(data: Path) -> None:
    """Writes numerics/routing.json below `data`."""
    rng = np.random.default_rng(11)
    chances = rng.uniform(size=40) ** 3
    result = {
        "batch_tokens": BATCH,
        "capacity_factor": CAPACITY,
        "devices": DEVICES,
        "cases": [_case(*c, rng) for c in CASES],
        "overlap": [
            {"experts": e, "k": k, "expected": _overlap(e, k)}
            for e, k in ((8, 2), (8, 1), (6, 3), (5, 4), (10, 2), (4, 4))
        ],
        "chances": chances.tolist(),
        "discoveries": (false_discovery_control(chances) <= 0.05).astype(int).tolist(),
    }
    (data / "numerics" / "routing.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    make_routing_statistics(DATA)
