# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times bench_assignment against SciPy's linear_sum_assignment on the same matrices, in turns.

    python tests/bench/assignment_scipy.py build/bench/bin/bench_assignment resources/demo

needs NumPy, SciPy, torch and safetensors. SciPy runs in one thread, as it is; ours takes the pairs in parallel.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from scipy.optimize import linear_sum_assignment

Array = np.ndarray
THREADS = 2
#: Model, layer, expert tensor, its roles (the last is stored transposed).
DEMO = (
    ("tiny-mixtral", 3, "model.layers.{l}.block_sparse_moe.experts.{e}.{r}.weight", ("w1", "w3", "w2")),
    ("tiny-deepseekmoe", 3, "model.layers.{l}.mlp.experts.{e}.{r}.weight", ("gate_proj", "up_proj", "down_proj")),
)
#: Neurons, hidden size, pairs.
RANDOM = ((1408, 2048, 8), (5632, 2048, 2))


def normalised(rows: Array) -> Array:
    """Rows of length 1."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8)


def demo_layer(folder: Path, layer: int, pattern: str, roles: tuple[str, ...]) -> Array:
    """Neuron similarities of all pairs of experts and roles, [pairs, m, m]."""
    weights: dict[str, Array] = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights |= {name: tensor.float().numpy() for name, tensor in load_file(file).items()}
    result = []
    for role in roles:
        experts = []
        while (name := pattern.format(l=layer, e=len(experts), r=role)) in weights:
            experts.append(normalised(weights[name].T if role == roles[-1] else weights[name]))
        result += [a @ b.T for a, b in combinations(experts, 2)]
    return np.stack(result).astype(np.float32)


def random_pairs(neurons: int, hidden: int, pairs: int) -> Array:
    """Neuron similarities of matrices of normal numbers."""
    generator = np.random.default_rng(neurons)

    def one() -> Array:
        return normalised(generator.standard_normal((neurons, hidden), dtype=np.float32))

    return np.stack([one() @ one().T for _ in range(pairs)])


def cases(demo: Path) -> Iterator[tuple[str, Array, int]]:
    """Name, matrices, repeats."""
    for name, layer, pattern, roles in DEMO:
        yield f"{name} layer {layer}", demo_layer(demo / name, layer, pattern, roles), 7
    for neurons, hidden, pairs in RANDOM:
        yield f"random, {neurons} neurons", random_pairs(neurons, hidden, pairs), 3 if neurons < 2000 else 1


def scipy_seconds(matrices: Array) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, summed objective."""
    start, used = time.perf_counter(), time.process_time()
    solved = [linear_sum_assignment(m, maximize=True) for m in matrices]
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    total = sum(float(m[r, c].astype(np.float64).sum()) for m, (r, c) in zip(matrices, solved, strict=True))
    return seconds, processor, total


def own_seconds(program: str, file: Path, size: int, threads: int) -> tuple[float, float, float]:
    """The same by bench_assignment."""
    # A process of its own each time, so that it gets a few rounds to warm up as SciPy's has.
    command = [program, str(file), str(size), str(threads), "5" if size < 1000 else "1"]
    seconds, processor, total = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(processor), float(total)


def main(program: str, demo: str) -> int:
    """Prints a table; 1 when an objective differs."""
    right = True
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "matrices.f32"
        for name, matrices, repeats in cases(Path(demo)):
            matrices.tofile(file)
            size = matrices.shape[1]
            scipy, one, two = [], [], []
            for _ in range(repeats):
                scipy.append(scipy_seconds(matrices))
                one.append(own_seconds(program, file, size, 1))
                two.append(own_seconds(program, file, size, THREADS))
            expected = scipy[0][2]
            right = right and all(abs(t - expected) <= 1e-6 * abs(expected) for *_, t in one + two)
            wall = [min(run[0] for run in runs) / len(matrices) for runs in (scipy, one, two)]
            processor = [min(run[1] for run in runs) / len(matrices) for runs in (scipy, one)]
            print(
                f"{name}: {len(matrices)} pairs of {size}; ms per pair: SciPy {wall[0] * 1e3:.4g}, "
                f"one thread {wall[1] * 1e3:.4g}, {THREADS} threads {wall[2] * 1e3:.4g}; "
                f"SciPy / ours: processor time {processor[0] / processor[1]:.1f}, "
                f"wall with {THREADS} threads {wall[0] / wall[2]:.1f}",
                flush=True,
            )
    print("objectives agree to 1e-6" if right else "OBJECTIVES DIFFER")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
