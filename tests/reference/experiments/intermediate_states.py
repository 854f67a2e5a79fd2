# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""B4: act(gate x) of every expert and of the shared one, on what the layer received."""

from __future__ import annotations

import numpy as np

from experiments.source import Array, Source

THRESHOLD = 0.001


def silu(x: Array) -> Array:
    """x sigmoid(x)"""
    return x / (1.0 + np.exp(-x))


def values(source: Source) -> dict[str, Array]:
    """states.LAYER [tokens of the last document, E, m], shared.LAYER [tokens, width]; active_share and
    mean_magnitude.LAYER [E] over all tokens."""
    result: dict[str, Array] = {}
    first = int(source.expected["document_offsets"][-2])
    for index, layer in source.layers.items():
        inputs = source.routed(index, "moe_input").astype(np.float64)
        states = np.stack([silu(inputs @ gate.T) for gate in layer.experts["gate"]], axis=1)
        result[f"states.{index}"] = states[first:].astype(np.float32)
        result[f"active_share.{index}"] = (np.abs(states) > THRESHOLD).mean(axis=(0, 2))
        result[f"mean_magnitude.{index}"] = np.abs(states).mean(axis=(0, 2))
        if layer.shared is not None:
            shared = silu(inputs @ layer.shared["gate"].T)
            result[f"shared.{index}"] = shared[first:].astype(np.float32)
    return result
