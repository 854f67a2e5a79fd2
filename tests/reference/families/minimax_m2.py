# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MiniMax-M2: norms over the whole q and k projections, part of each head rotated, biased sigmoid router."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_rewritten
from common.probes import FusedProbe
from common.quantised import pack_fp8, unpack_fp8
from common.remote import RemoteCode
from common.routers import BiasedRule
from common.weights import WeightMaker
from families.standard import Tensors, base_config

CONFIG: dict[str, Any] = base_config(
    architectures=["MiniMaxM2ForCausalLM"],
    head_dim=12,
    hidden_size=20,
    intermediate_size=9,
    model_type="minimax_m2",
    num_attention_heads=4,
    num_experts_per_tok=3,
    num_local_experts=7,
    partial_rotary_factor=0.5,
    qk_norm_type="per_layer",
    rope_theta=5000000,
    rotary_dim=6,
    scoring_func="sigmoid",
    shared_intermediate_size=0,
    use_qk_norm=True,
    use_routing_bias=True,
)
PACKED: dict[str, Any] = CONFIG | {
    "quantization_config": {
        "activation_scheme": "dynamic",
        "fmt": "float8_e4m3fn",
        "modules_to_not_convert": ["gate", "e_score_correction_bias", "lm_head"],
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
    }
}
ROLES = ("w1", "w3", "w2")


def tensors(seed: int) -> Tensors:
    """Mixtral's names and a selection bias beside the router."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)

    def feed_forward(_layer: int, at: str) -> Tensors:
        block = f"{at}block_sparse_moe."
        return (
            skeleton.router(make, f"{block}gate.weight", 7, shape.hidden)
            | skeleton.correction_bias(make, f"{block}e_score_correction_bias", (7,))
            | skeleton.experts(make, f"{block}experts.", 7, shape.hidden, 9, names=ROLES)
        )

    def attention(_layer: int, at: str) -> Tensors:
        return skeleton.attention(make, shape, f"{at}self_attn.", norms={"q_norm": 48, "k_norm": 24})

    return skeleton.decoder(make, shape, feed_forward, attention)


def packed_tensors(seed: int) -> Tensors:
    """Projections and experts in float8 with a scale per tile, all else as it is."""
    result: Tensors = {}
    for name, tensor in tensors(seed).items():
        if re.search(r"_proj|experts", name):
            result[name], result[f"{name}_scale_inv"] = pack_fp8(tensor)
        else:
            result[name] = tensor
    return result


def unpacked(stored: Tensors) -> Tensors:
    """float32 in the place of float8."""
    return {
        name: unpack_fp8(tensor, stored[f"{name}_scale_inv"]) if f"{name}_scale_inv" in stored else tensor
        for name, tensor in stored.items()
        if not name.endswith("_scale_inv")
    }


def load(folder: Path) -> ModelParts:
    """Loads with transformers, which reads partial_rotary_factor and not rotary_dim."""
    model = load_rewritten(CONFIG, unpacked(read_tensors(folder)))
    assert len(model.model.rotary_emb.inv_freq) == CONFIG["rotary_dim"] // 2

    def probe(layer: nn.Module) -> FusedProbe:
        rule = BiasedRule(3, layer.mlp.e_score_correction_bias, addend=0.0)
        return FusedProbe(layer.mlp, layer.mlp.gate, layer.mlp.experts, rule)

    return decoder_parts(model, probe)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """Both MiniMax fixtures."""
    return [
        Fixture(
            name="minimax_m2",
            script="families/minimax_m2.py",
            about="MiniMax-M2, 6 of 12 channels of a head rotated, norms over projections, biased sigmoid",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
        ),
        Fixture(
            name="minimax_m2-fp8",
            script="families/minimax_m2.py",
            about="The same form with projections and experts in float8 e4m3 with a scale per 128 x 128 tile",
            config=PACKED,
            tensors=packed_tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
        ),
    ]
