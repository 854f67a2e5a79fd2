# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives of linear assignment from SciPy, for matrices that the test makes again from their seed.

python tests/reference/make_assignment.py

Every value comes from splitmix64 (S. Vigna, public domain algorithm) of seed and position, so that the test needs no
matrices on disk: 200 random and 50 structured ones of 1 to 3,000 rows.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

DATA = Path(__file__).resolve().parents[1] / "data" / "reference"
STRUCTURED_SIZES = (1, 4, 31, 192, 250, 333, 512, 640, 1000, 1408)
KINDS = ("uniform", "ties", "constant", "diagonal", "low_rank", "blocks")


def uniform(seed: int, count: int) -> np.ndarray:
    """float32 in [0, 1), multiples of 2^-24."""
    with np.errstate(over="ignore"):
        place = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(seed) * np.uint64(0x100000001B3) + place * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float32)) * np.float32(2.0**-24)


def matrix(kind: str, seed: int, n: int) -> np.ndarray:
    """[n, n] float32. Only exact float32 operations, so that C++ makes the same values."""
    values = uniform(seed, n * n).reshape(n, n)
    index = np.arange(n)
    if kind == "ties":
        return np.floor(values * np.float32(4))
    if kind == "constant":
        return np.full((n, n), np.float32(0.5))
    if kind == "diagonal":  # one permutation stands out
        shift = (index * 7 + seed) % n if np.gcd(7, n) == 1 else (index + seed) % n
        values[index, shift] += np.float32(1)
        return values
    if kind == "low_rank":
        rows, columns = uniform(seed + 1, n), uniform(seed + 2, n)
        return rows[:, None] * columns[None, :]
    if kind == "blocks":
        return np.where((index[:, None] % 8) == (index[None, :] % 8), values + np.float32(1), values * np.float32(0.5))
    return values


def size(i: int) -> int:
    """Mostly small, a few large."""
    return (1, 2, 3, 5, 17, 64, 191, 192, 193, 300)[i % 10] if i % 50 else (400, 800, 1500, 3000)[i // 50 % 4]


def make_assignment(data: Path) -> None:
    """Writes numerics/assignment.json below `data`."""
    cases = [("uniform", 1000 + i, size(i)) for i in range(200)]
    for i in range(50):
        n = STRUCTURED_SIZES[i % 10 if i // 5 % 2 else i // 5]
        cases.append((KINDS[1 + i % 5], 5000 + i, n))
    rows = []
    for kind, seed, n in cases:
        values = matrix(kind, seed, n).astype(np.float64)
        chosen = linear_sum_assignment(values, maximize=True)
        rows.append({"kind": kind, "seed": seed, "n": n, "objective": float(values[chosen].sum())})
    output = data / "numerics" / "assignment.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    head = {
        "about": "linear_sum_assignment(maximize=True)",
        "script": "tests/reference/make_assignment.py",
        "scipy": scipy.__version__,
    }
    text = json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"
    output.write_text(text)


if __name__ == "__main__":
    make_assignment(DATA)
