# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse upcycling: every expert of a routed layer starts as a copy of the dense model's feed-forward.

Where a share of the neurons is to be drawn anew, that is done as in Drop-Upcycling (Nakamura et al. 2025, arXiv 2502.19261):
each expert's own random neurons get weights with the mean and the deviation that the matrix has there; the rest stays a copy.
"""

import torch
from torch import Tensor

from decoder import Shape

ROUTER_DEVIATION = 0.02


def _redraw(matrix: Tensor, neurons: Tensor, role: str, generator: torch.Generator) -> None:
    """Draws the neurons' weights anew, in place: rows of gate and up, columns of down."""
    rows = matrix.T if role == "down_proj" else matrix
    known = rows[neurons]
    drawn = torch.empty(known.shape).normal_(generator=generator)
    rows[neurons] = known.mean() + drawn * known.std()


def upcycled(state: dict[str, Tensor], shape: Shape, seed: int, redrawn: float = 0.0) -> dict[str, Tensor]:
    """A routed state from a dense one; a state that is routed already is returned as it is."""
    if any(name.endswith("router.weight") for name in state):
        return state
    generator = torch.Generator().manual_seed(seed)
    routed: dict[str, Tensor] = {}
    for name, value in state.items():
        if ".feed_forward." not in name:
            routed[name] = value
            continue
        prefix, role, _ = name.rsplit(".", 2)
        routed[f"{prefix}.{role.removesuffix('_proj')}"] = value.expand(shape.experts, *value.shape).clone()
    for layer in range(shape.layers):
        weight = torch.empty(shape.experts, shape.hidden).normal_(0, ROUTER_DEVIATION, generator=generator)
        routed[f"layers.{layer}.feed_forward.router.weight"] = weight
    for layer in range(shape.layers):
        for expert in range(shape.experts):
            neurons = torch.randperm(shape.expert_width, generator=generator)[: round(redrawn * shape.expert_width)]
            for role in ("gate_proj", "up_proj", "down_proj"):
                matrix = routed[f"layers.{layer}.feed_forward.{role.removesuffix('_proj')}"][expert]
                _redraw(matrix, neurons, role, generator)
    return routed
