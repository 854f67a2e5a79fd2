# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpt-oss: MXFP4 experts with interleaved gate and up rows and biases, sinks, alternating windows, YaRN."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_rewritten
from common.probes import FusedProbe
from common.quantised import pack_mxfp4
from common.remote import RemoteCode
from common.routers import top_then_softmax
from common.weights import WeightMaker
from families.standard import Tensors, base_config

CONFIG: dict[str, Any] = base_config(
    architectures=["GptOssForCausalLM"],
    attention_bias=True,
    experts_per_token=2,
    head_dim=8,
    hidden_size=32,
    initial_context_length=16,
    intermediate_size=32,
    layer_types=["sliding_attention", "full_attention"],
    model_type="gpt_oss",
    num_attention_heads=6,
    num_experts_per_tok=2,
    num_hidden_layers=2,
    num_local_experts=5,
    quantization_config={
        "modules_to_not_convert": [
            "model.layers.*.self_attn",
            "model.layers.*.mlp.router",
            "model.embed_tokens",
            "lm_head",
        ],
        "quant_method": "mxfp4",
    },
    rms_norm_eps=1e-05,
    rope_scaling={
        "beta_fast": 1.0,
        "beta_slow": 0.1,
        "factor": 8.0,
        "original_max_position_embeddings": 16,
        "rope_type": "yarn",
        "truncate": False,
    },
    rope_theta=150.0,
    sliding_window=5,
    swiglu_limit=2.0,
)


def _packed(make: WeightMaker, name: str, shape: tuple[int, ...], gain: float) -> Tensors:
    """NAME_blocks, NAME_scales and NAME_bias of a weight [E, outputs, inputs]."""
    blocks, scales = pack_mxfp4(make.stacked(name, shape, shape[-1], gain).float())
    bias = make.normal(f"{name}_bias", shape[:2], 0.3)
    return {f"{name}_blocks": blocks, f"{name}_scales": scales, f"{name}_bias": bias}


def _feed_forward(make: WeightMaker, _layer: int, at: str) -> Tensors:
    hidden, width, count = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["num_local_experts"]
    router = f"{at}mlp.router."
    return (
        skeleton.router(make, f"{router}weight", count, hidden)
        | {f"{router}bias": make.normal(f"{router}bias", (count,), 0.5)}
        | _packed(make, f"{at}mlp.experts.gate_up_proj", (count, 2 * width, hidden), 1.5)
        | _packed(make, f"{at}mlp.experts.down_proj", (count, hidden, width), 1.0)
    )


def tensors(seed: int) -> Tensors:
    """Attention with biases and a sink per head; experts packed."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)

    def attention(_layer: int, at: str) -> Tensors:
        sinks = f"{at}self_attn.sinks"
        return skeleton.attention(make, shape, f"{at}self_attn.", qkv_bias=True, o_bias=True) | {
            sinks: make.normal(sinks, (shape.heads,), 1.0)
        }

    return skeleton.decoder(make, shape, partial(_feed_forward, make), attention)


def unpacked(stored: Tensors) -> Tensors:
    """As transformers saves it without packing: [E, inputs, outputs]."""
    result: Tensors = {}
    for name, tensor in stored.items():
        if name.endswith("_blocks"):
            stem = name.removesuffix("_blocks")
            result[stem] = convert_moe_packed_tensors(tensor, stored[f"{stem}_scales"], dtype=torch.float32)
        elif not name.endswith("_scales"):
            result[name] = tensor
    return result


def load(folder: Path) -> ModelParts:
    """transformers' own unpacking and model."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("quantization_config")
    model = load_rewritten(config, unpacked(read_tensors(folder)))
    rule = top_then_softmax(CONFIG["num_experts_per_tok"])

    def probe(layer: nn.Module) -> FusedProbe:
        return FusedProbe(layer.mlp, layer.mlp.router, layer.mlp.experts, rule)

    return decoder_parts(model, probe)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The gpt-oss fixture; hidden and expert width are equal, as published, so shapes tell no orientation."""
    return [
        Fixture(
            name="gpt_oss",
            script="families/gpt_oss.py",
            about="gpt-oss, MXFP4 experts with biases, window of 5 on layer 0, sinks, YaRN without truncation, limit 2",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
        )
    ]
