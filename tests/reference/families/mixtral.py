# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixtral in its published layout, sharded and in bfloat16."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_with_transformers
from common.probes import FusedProbe
from common.remote import RemoteCode
from common.routers import softmax_then_top
from common.weights import WeightMaker

CONFIG: dict[str, Any] = {
    "architectures": ["MixtralForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "head_dim": 8,
    "hidden_act": "silu",
    "hidden_size": 20,
    "initializer_range": 0.02,
    "intermediate_size": 14,
    "max_position_embeddings": 128,
    "model_type": "mixtral",
    "num_attention_heads": 6,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "num_local_experts": 7,
    "output_router_logits": False,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0,
    "router_aux_loss_coef": 0.02,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.36.0.dev0",
    "use_cache": True,
    "vocab_size": 97,
}
ROLES = ("w1", "w3", "w2")  # gate, up, down


def tensors(seed: int) -> skeleton.Tensors:
    """The published names: block_sparse_moe.gate and block_sparse_moe.experts.E.w1/w2/w3."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)
    count, width = CONFIG["num_local_experts"], CONFIG["intermediate_size"]

    def feed_forward(_layer: int, at: str) -> skeleton.Tensors:
        block = f"{at}block_sparse_moe."
        return skeleton.router(make, f"{block}gate.weight", count, shape.hidden) | skeleton.experts(
            make, f"{block}experts.", count, shape.hidden, width, names=ROLES
        )

    return skeleton.decoder(make, shape, feed_forward)


def load(folder: Path) -> ModelParts:
    """Loads with transformers, whose experts module is fused in memory."""
    chosen = json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_experts_per_tok"]

    def probe(layer: nn.Module) -> FusedProbe:
        rule = softmax_then_top(chosen, renormalise=True)
        return FusedProbe(layer.mlp, layer.mlp.gate, layer.mlp.experts, rule)

    return decoder_parts(load_with_transformers(folder), probe)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Mixtral fixture."""
    return [
        Fixture(
            name="mixtral",
            script="families/mixtral.py",
            about="Mixtral, published layout, three bfloat16 shards, seven experts, head_dim 8 at hidden 20",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
            shards=3,
            whole=True,
        )
    ]
