# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E2: which tokens get other experts when the router's input carries noise, or the router runs in bfloat16.

Noise of size s on an input x [H] of a token is s times the root mean square of x times a standard normal vector,
which is stored, so that nothing hangs on a random generator. In bfloat16 input and weight are rounded, their
products summed, and the logits rounded; equal logits go to the lower index. A token flips when its set of chosen
experts differs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from common.checkpoint import read_tensors
from experiments.source import MIXTRAL, Array
from routing.run import Model

SIZES = (0.01, 0.05, 0.2)
TOKENS = 86  # the first four documents: the files stay small
#: No choice under noise is nearer to a tie than this.
MINIMUM_GAP = 1e-5
K = 2


def _chosen(logits: Array) -> Array:
    """The K best per token as sorted indices, ties to the lower index."""
    return np.sort(np.argsort(-logits, axis=1, kind="stable")[:, :K], axis=1)


def _flips(logits: Array, intact: Array) -> Array:
    return (_chosen(logits) != _chosen(intact)).any(axis=1)


def _gap(logits: Array) -> float:
    ordered = -np.sort(-logits, axis=1)
    return float((ordered[:, K - 1] - ordered[:, K]).min())


def _rounded(values: Array) -> Array:
    return torch.from_numpy(values.astype(np.float32)).bfloat16().double().numpy()


def _noisy(inputs: Array, noise: Array, size: float) -> Array:
    return inputs + size * np.sqrt((inputs**2).mean(axis=1, keepdims=True)) * noise


def _clear_noise(inputs: Array, router: Array, layer: int) -> Array:
    """The first noise under which every choice is clear, float32."""
    for seed in range(1000):
        generator = np.random.Generator(np.random.PCG64([47, layer, seed]))
        noise = generator.standard_normal(inputs.shape).astype(np.float32)
        wide = noise.astype(np.float64)
        if min(_gap(_noisy(inputs, wide, size) @ router.T) for size in SIZES) >= MINIMUM_GAP:
            return noise
    raise RuntimeError("no noise leaves every choice clear")


def values(folder: Path, model: Model) -> dict[str, Array]:
    """Per layer input, noise [T, H] (float32), flipped.SIZE and flipped.bfloat16 [T] (int8); share [L, sizes + 1]."""
    weights = read_tensors(folder)
    result: dict[str, Array] = {}
    shares = []
    for layer, tensor in enumerate(model.router_inputs()):
        inputs = tensor[:TOKENS].double().numpy()
        router = weights[MIXTRAL.router.format(l=layer)].double().numpy()
        noise, intact = _clear_noise(inputs, router, layer), inputs @ router.T
        flips = {str(s): _flips(_noisy(inputs, noise.astype(np.float64), s) @ router.T, intact) for s in SIZES}
        flips["bfloat16"] = _in_bfloat16(inputs, router, intact)
        result |= {f"input.{layer}": inputs.astype(np.float32), f"noise.{layer}": noise}
        result |= {f"flipped.{name}.{layer}": flipped.astype(np.int8) for name, flipped in flips.items()}
        shares.append([flipped.mean() for flipped in flips.values()])
    return result | {"share": np.array(shares)}


def _in_bfloat16(inputs: Array, router: Array, intact: Array) -> Array:
    """Flips with rounded logits; summing in float32 as PyTorch does must not change them."""
    x, w = _rounded(inputs), _rounded(router)
    flipped = _flips(_rounded(x @ w.T), intact)
    wide: Tensor = torch.from_numpy(x).bfloat16() @ torch.from_numpy(w).bfloat16().T
    assert (flipped == _flips(wide.double().numpy(), intact)).all()
    return flipped
