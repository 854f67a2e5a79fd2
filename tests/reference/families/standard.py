# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces for families whose mixture is `mlp.gate` and `mlp.experts.E.{gate,up,down}_proj`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.fixture import ModelParts, MoeProbe
from common.loading import decoder_parts, load_with_transformers
from common.probes import FusedProbe, Shared
from common.routers import Rule
from common.weights import WeightMaker

Tensors = skeleton.Tensors


@dataclass(frozen=True)
class Mixture:
    """Sizes and names of a mixture layer."""

    experts: int
    width: int
    shared: dict[str, int] = field(default_factory=dict)  # name below mlp -> width
    shared_gate: str | None = None
    bias: str | None = None  # name below mlp of a selection bias
    bias_shape: tuple[int, ...] | None = None
    router: str = "gate.weight"
    router_dtype: torch.dtype | None = None

    def tensors(self, make: WeightMaker, at: str, hidden: int) -> Tensors:
        """All tensors of the layer; `at` ends in a dot."""
        tensors = skeleton.router(make, f"{at}{self.router}", self.experts, hidden)
        if self.router_dtype is not None:
            tensors = {name: value.to(self.router_dtype) for name, value in tensors.items()}
        if self.bias is not None:
            tensors |= skeleton.correction_bias(make, f"{at}{self.bias}", self.bias_shape or (self.experts,))
        tensors |= skeleton.experts(make, f"{at}experts.", self.experts, hidden, self.width)
        for name, width in self.shared.items():
            tensors |= skeleton.gated_mlp(make, f"{at}{name}.", hidden, width)
        if self.shared_gate is not None:
            name = f"{at}{self.shared_gate}.weight"
            tensors[name] = make.linear(name, 1, hidden, 1.5)
        return tensors


def builder(
    config: dict[str, Any],
    mixture: Mixture,
    is_mixture: Callable[[int], bool] = lambda _layer: True,
    dense_width: int = 0,
    attention: dict[str, Any] | None = None,
    attention_of: Callable[[WeightMaker, str], Tensors] | None = None,
) -> Callable[[int], Tensors]:
    """seed -> tensors of the Llama form with mixtures where `is_mixture` says so.

    `attention` are options of skeleton.attention; `attention_of` replaces it.
    """

    def tensors(seed: int) -> Tensors:
        make = WeightMaker(seed, torch.bfloat16)
        shape = skeleton.Shape.of(config)

        def feed_forward(layer: int, at: str) -> Tensors:
            if is_mixture(layer):
                return mixture.tensors(make, f"{at}mlp.", shape.hidden)
            return skeleton.gated_mlp(make, f"{at}mlp.", shape.hidden, dense_width)

        def attend(_layer: int, at: str) -> Tensors:
            if attention_of is not None:
                return attention_of(make, f"{at}self_attn.")
            return skeleton.attention(make, shape, f"{at}self_attn.", **(attention or {}))

        return skeleton.decoder(make, shape, feed_forward, attend, tied=config["tie_word_embeddings"])

    return tensors


def loader(
    rule_of: Callable[[nn.Module], Rule],
    shared: str | None = None,
    shared_gate: str | None = None,
    **options: Any,
) -> Callable[[Path], ModelParts]:
    """folder -> parts, for models whose mixture is layer.mlp with gate, experts and perhaps a shared part."""

    def probe(layer: nn.Module) -> MoeProbe | None:
        block = layer.mlp
        if not hasattr(block, "experts"):
            return None
        part = None
        if shared is not None:
            part = Shared(getattr(block, shared), getattr(block, shared_gate) if shared_gate else None)
        return FusedProbe(block, block.gate, block.experts, rule_of(block), part)

    return lambda folder: decoder_parts(load_with_transformers(folder, **options), probe)


def base_config(**values: Any) -> dict[str, Any]:
    """Keys that most configurations have, in the order of the hub's files."""
    common: dict[str, Any] = {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 20,
        "initializer_range": 0.02,
        "max_position_embeddings": 128,
        "num_attention_heads": 6,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.46.0",
        "use_cache": True,
        "vocab_size": 97,
    }
    return dict(sorted((common | values).items()))
