# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse upcycling: every expert of a routed layer starts as a copy of the dense model's feed-forward."""

import torch
from torch import Tensor

from decoder import Shape

ROUTER_DEVIATION = 0.02


def upcycled(state: dict[str, Tensor], shape: Shape, seed: int) -> dict[str, Tensor]:
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
    return routed
