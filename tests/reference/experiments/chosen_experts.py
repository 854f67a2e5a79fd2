# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""B5: token x expert map of the routing weights, zero where not chosen."""

from __future__ import annotations

import numpy as np

from experiments.source import Array, Source


def weight_map(chosen: Array, weights: Array, experts: int) -> Array:
    """[T, E]"""
    result = np.zeros((chosen.shape[0], experts), dtype=np.float32)
    for token, (ids, values_) in enumerate(zip(chosen, weights, strict=True)):
        for expert, weight in zip(ids, values_, strict=True):
            result[token, expert] = weight
    return result


def values(source: Source) -> dict[str, Array]:
    """LAYER [T, E]"""
    return {
        f"{index}": weight_map(source.routed(index, "chosen_experts"), source.routed(index, "weights"), source.experts)
        for index in source.layers
    }
