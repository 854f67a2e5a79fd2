# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GraniteMoE: multipliers, experts fused on disk; `granitemoeshared` adds an ungated shared MLP."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from common import skeleton
from common.fixture import Fixture, ModelParts, Routing
from common.loading import decoder_parts, load_with_transformers
from common.probes import FusedProbe, Shared
from common.remote import RemoteCode
from common.routers import top_then_softmax
from common.weights import WeightMaker
from families.standard import Tensors, base_config

CONFIG: dict[str, Any] = base_config(
    architectures=["GraniteMoeForCausalLM"],
    attention_multiplier=0.2,
    embedding_multiplier=3.0,
    hidden_size=24,
    intermediate_size=9,
    logits_scaling=1.7,
    model_type="granitemoe",
    num_attention_heads=4,
    num_experts_per_tok=3,
    num_local_experts=7,
    residual_multiplier=0.6,
    tie_word_embeddings=True,
)
SHARED: dict[str, Any] = CONFIG | {
    "architectures": ["GraniteMoeSharedForCausalLM"],
    "attention_bias": True,
    "model_type": "granitemoeshared",
    "num_hidden_layers": 2,
    "shared_intermediate_size": 13,
    "tie_word_embeddings": False,
}


def tensors(config: dict[str, Any], seed: int) -> Tensors:
    """block_sparse_moe.input_linear [E, 2 I, H] with the gate rows first, output_linear [E, H, I]."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(config)
    count, width, bias = config["num_local_experts"], config["intermediate_size"], config["attention_bias"]
    shared = config.get("shared_intermediate_size", 0)

    def feed_forward(_layer: int, at: str) -> Tensors:
        block = f"{at}block_sparse_moe."
        into, out = f"{block}input_linear.weight", f"{block}output_linear.weight"
        result = skeleton.router(make, f"{block}router.layer.weight", count, shape.hidden)
        result[into] = make.stacked(into, (count, 2 * width, shape.hidden), shape.hidden, 1.3)
        result[out] = make.stacked(out, (count, shape.hidden, width), width, 2.0)
        if shared:
            into, out = f"{at}shared_mlp.input_linear.weight", f"{at}shared_mlp.output_linear.weight"
            result[into] = make.linear(into, 2 * shared, shape.hidden, 1.3)
            result[out] = make.linear(out, shape.hidden, shared, 2.0)
        return result

    def attention(_layer: int, at: str) -> Tensors:
        return skeleton.attention(make, shape, f"{at}self_attn.", qkv_bias=bias, o_bias=bias)

    return skeleton.decoder(make, shape, feed_forward, attention, tied=config["tie_word_embeddings"])


class BesideProbe(FusedProbe):
    """The shared MLP stands beside the mixture module, not in it."""

    def branch_output(self) -> Tensor:
        return self.block_output + self.shared_part()

    def shared_part(self) -> Tensor:
        """The shared output, which this layer always has."""
        shared = self.shared_output()
        assert shared is not None
        return shared

    def combined(self, routing: Routing, outputs: Tensor) -> Tensor:
        return super().combined(routing, outputs) - self.shared_part()


def load(config: dict[str, Any], folder: Path) -> ModelParts:
    """Loads with transformers."""
    rule = top_then_softmax(config["num_experts_per_tok"])

    def probe(layer: nn.Module) -> FusedProbe:
        block = layer.block_sparse_moe
        if "shared_intermediate_size" in config:
            return BesideProbe(block, block.router, block.experts, rule, Shared(layer.shared_mlp))
        return FusedProbe(block, block.router, block.experts, rule)

    branch = "none" if "shared_intermediate_size" in config else "block_sparse_moe"
    return decoder_parts(load_with_transformers(folder), probe, feed_forward=branch)


def _fixture(name: str, about: str, config: dict[str, Any]) -> Fixture:
    return Fixture(
        name=name,
        script="families/granitemoe.py",
        about=about,
        config=config,
        tensors=partial(tensors, config),
        load=partial(load, config),
        vocabulary=config["vocab_size"],
    )


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """Both Granite fixtures. ffn_output is what the residual multiplier multiplies."""
    return [
        _fixture("granitemoe", "GraniteMoE, four multipliers, fused experts, tied embeddings", CONFIG),
        _fixture("granitemoeshared", "GraniteMoE with a shared MLP of width 13 and attention biases", SHARED),
    ]
