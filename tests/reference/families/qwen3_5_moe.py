# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Qwen3.5-MoE: as Qwen3-Next with separate projections, experts fused on disk, inside a multimodal folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import Qwen3_5MoeForCausalLM

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_rewritten, without_prefixes
from common.probes import FusedProbe, Shared
from common.remote import RemoteCode
from common.routers import softmax_then_top
from common.weights import WeightMaker
from families import qwen3_next
from families.standard import Tensors, base_config

TEXT: dict[str, Any] = base_config(
    full_attention_interval=3,
    head_dim=12,
    hidden_size=20,
    layer_types=["linear_attention", "linear_attention", "full_attention"],
    linear_conv_kernel_dim=4,
    linear_key_head_dim=6,
    linear_num_key_heads=2,
    linear_num_value_heads=4,
    linear_value_head_dim=5,
    model_type="qwen3_5_moe_text",
    moe_intermediate_size=7,
    num_attention_heads=4,
    num_experts=6,
    num_experts_per_tok=3,
    rope_parameters={
        "mrope_interleaved": True,
        "mrope_section": [1, 1, 1],
        "partial_rotary_factor": 0.5,
        "rope_theta": 10000000,
        "rope_type": "default",
    },
    shared_expert_intermediate_size=9,
)
for key in ("rope_scaling", "rope_theta"):
    del TEXT[key]
CONFIG: dict[str, Any] = {
    "architectures": ["Qwen3_5MoeForConditionalGeneration"],
    "dtype": "bfloat16",
    "model_type": "qwen3_5_moe",
    "text_config": TEXT,
    "tie_word_embeddings": False,
    "vision_config": {"hidden_size": 4, "model_type": "qwen3_5_moe"},
}
PREFIX = "model.language_model."


def _linear_attention(make: WeightMaker, at: str) -> Tensors:
    keys = TEXT["linear_num_key_heads"] * TEXT["linear_key_head_dim"]
    heads, hidden = TEXT["linear_num_value_heads"], TEXT["hidden_size"]
    values = heads * TEXT["linear_value_head_dim"]
    sizes = {"in_proj_qkv": 2 * keys + values, "in_proj_z": values, "in_proj_b": heads, "in_proj_a": heads}
    projections = {f"{at}{n}.weight": make.linear(f"{at}{n}.weight", size, hidden, 1.2) for n, size in sizes.items()}
    return projections | qwen3_next.state_tensors(make, TEXT, at)


def tensors(seed: int) -> Tensors:
    """model.language_model.*, the head outside of it, one vision and one prediction tensor to skip."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(TEXT)
    count, width = TEXT["num_experts"], TEXT["moe_intermediate_size"]

    def attention(layer: int, at: str) -> Tensors:
        if qwen3_next.is_full(TEXT, layer):
            return qwen3_next.gated_attention(make, TEXT, f"{at}self_attn.")
        return _linear_attention(make, f"{at}linear_attn.")

    def feed_forward(_layer: int, at: str) -> Tensors:
        block = f"{at}mlp."
        into, out, gate = (
            f"{block}{n}" for n in ("experts.gate_up_proj", "experts.down_proj", "shared_expert_gate.weight")
        )
        return (
            skeleton.router(make, f"{block}gate.weight", count, shape.hidden)
            | {into: make.stacked(into, (count, 2 * width, shape.hidden), shape.hidden, 1.3)}
            | {out: make.stacked(out, (count, shape.hidden, width), width, 1.6)}
            | skeleton.gated_mlp(make, f"{block}shared_expert.", shape.hidden, TEXT["shared_expert_intermediate_size"])
            | {gate: make.linear(gate, 1, shape.hidden, 1.5)}
        )

    result = skeleton.decoder(make, shape, feed_forward, attention, prefix=PREFIX)
    vision, prediction = "model.visual.patch_embed.proj.weight", "mtp.fc.weight"
    return qwen3_next.centred_norms(make, result) | {
        vision: make.linear(vision, 4, 3),
        prediction: make.linear(prediction, shape.hidden, 2 * shape.hidden),
    }


def load(folder: Path) -> ModelParts:
    """The text model by transformers, after taking the prefix off."""
    names = without_prefixes(read_tensors(folder), {PREFIX: "model."}, skipped=r"visual|^mtp")
    model = load_rewritten(TEXT | {"architectures": ["Qwen3_5MoeForCausalLM"]}, names, Qwen3_5MoeForCausalLM)
    rule = softmax_then_top(TEXT["num_experts_per_tok"], renormalise=True)

    def probe(layer: nn.Module) -> FusedProbe:
        block = layer.mlp
        return FusedProbe(block, block.gate, block.experts, rule, Shared(block.shared_expert, block.shared_expert_gate))

    return decoder_parts(model, probe)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Qwen3.5 fixture."""
    return [
        Fixture(
            name="qwen3_5_moe",
            script="families/qwen3_5_moe.py",
            about="Qwen3.5-MoE text in a multimodal folder: separate DeltaNet projections, fused experts, mrope keys",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=TEXT["vocab_size"],
        )
    ]
