# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E5: the vocabulary behind one expert's contribution to the residual stream."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from common.fixture import ModelParts
from experiments.formulas import cosine
from experiments.source import Array

BEST = 5


def _lens(parts: ModelParts, states: Array) -> Array:
    """log p [T, V] of states [T, H] through the final norm and the head."""
    norm = parts.final_norm
    rms = np.sqrt((states**2).mean(axis=1, keepdims=True) + norm.variance_epsilon)
    weights = (norm.weight.detach().double().numpy(), parts.model.lm_head.weight.detach().double().numpy())
    return log_softmax(states / rms * weights[0] @ weights[1].T, axis=1)


def _best(name: str, log_probability: Array) -> dict[str, Array]:
    ids = np.argsort(-log_probability, axis=1, kind="stable")[:, :BEST]
    return {
        f"{name}_ids": ids.astype(np.int32),
        f"{name}_log_probability": np.take_along_axis(log_probability, ids, axis=1).astype(np.float32),
    }


def values(expected: dict[str, Array], parts: ModelParts, tokens: int) -> dict[str, Array]:
    """For the first `tokens` tokens: expert_ids, expert_log_probability.LAYER [tokens, 5] of the stream as the mixture
    finds it plus the weighted output of the first choice; layer_* of the stream as the layer leaves it.
    cosine.LAYER [T]: between that contribution and what the whole mixture adds."""
    result: dict[str, Array] = {}
    hidden, added = (expected[name].astype(np.float64) for name in ("hidden", "ffn_output"))
    layers = [int(name.split(".")[1]) for name in expected if name.endswith(".expert_outputs")]
    for layer in layers:
        outputs, ids, weights = (
            expected[f"layers.{layer}.{what}"] for what in ("expert_outputs", "chosen_experts", "weights")
        )
        first = outputs[np.arange(len(ids)), ids[:, 0]].astype(np.float64) * weights[:, :1]
        before = hidden[layer + 1] - added[layer]
        result[f"cosine.{layer}"] = np.array([cosine(a, b) for a, b in zip(first, added[layer], strict=True)])
        lenses = {"expert": before + first, "layer": hidden[layer + 1]}
        for name, states in lenses.items():
            rows = _best(name, _lens(parts, states[:tokens]))
            result |= {f"{key}.{layer}": value for key, value in rows.items()}
    last = log_softmax(expected["logits"][:tokens].astype(np.float64), axis=1)
    assert np.allclose(_lens(parts, hidden[-1][:tokens]), last, atol=1e-4)
    return result
