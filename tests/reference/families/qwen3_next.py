# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Qwen3-Next: gated DeltaNet layers, every third a gated attention; norms multiply by 1 + weight."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from common import skeleton
from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import softmax_then_top
from common.weights import WeightMaker
from families.standard import Mixture, Tensors, base_config, loader

CONFIG: dict[str, Any] = base_config(
    architectures=["Qwen3NextForCausalLM"],
    decoder_sparse_step=1,
    full_attention_interval=3,
    head_dim=8,
    hidden_size=20,
    intermediate_size=17,
    linear_conv_kernel_dim=4,
    linear_key_head_dim=6,
    linear_num_key_heads=2,
    linear_num_value_heads=4,
    linear_value_head_dim=5,
    mlp_only_layers=[],
    model_type="qwen3_next",
    moe_intermediate_size=7,
    norm_topk_prob=True,
    num_attention_heads=4,
    num_experts=6,
    num_experts_per_tok=3,
    partial_rotary_factor=0.5,
    rope_theta=10000000,
    shared_expert_intermediate_size=9,
)
MIXTURE = Mixture(experts=6, width=7, shared={"shared_expert": 9}, shared_gate="shared_expert_gate")


def state_tensors(make: WeightMaker, config: dict[str, Any], at: str) -> Tensors:
    """What both forms of a linear-attention layer have: convolution, decay, gated norm, output."""
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    heads, width = config["linear_num_value_heads"], config["linear_value_head_dim"]
    channels = 2 * keys + heads * width
    conv, out = f"{at}conv1d.weight", f"{at}out_proj.weight"
    kernel = config["linear_conv_kernel_dim"]
    decay = np.log(np.linspace(0.5, 4.0, heads))
    return {
        conv: make.stacked(conv, (channels, 1, kernel), kernel, 1.5),
        f"{at}A_log": torch.from_numpy(decay).to(make.dtype),
        f"{at}dt_bias": make.normal(f"{at}dt_bias", (heads,), 0.5),
        f"{at}norm.weight": make.norm(f"{at}norm.weight", width),
        out: make.linear(out, config["hidden_size"], heads * width, 1.2),
    }


def packed_linear_attention(make: WeightMaker, config: dict[str, Any], at: str) -> Tensors:
    """Projections packed by key head: q, k, v, z and b, a."""
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    heads = config["linear_num_value_heads"]
    values, hidden = heads * config["linear_value_head_dim"], config["hidden_size"]
    qkvz, ba = f"{at}in_proj_qkvz.weight", f"{at}in_proj_ba.weight"
    return {
        qkvz: make.linear(qkvz, 2 * keys + 2 * values, hidden, 1.2),
        ba: make.linear(ba, 2 * heads, hidden),
    } | state_tensors(make, config, at)


def gated_attention(make: WeightMaker, config: dict[str, Any], at: str) -> Tensors:
    """q_proj holds query and gate of each head; norms of q and k are around 0, for 1 + weight."""
    shape = skeleton.Shape.of(config)
    tensors = skeleton.attention(make, shape, at)
    query = f"{at}q_proj.weight"
    tensors[query] = make.linear(query, 2 * shape.heads * shape.head_dim, shape.hidden, 1.4)
    for norm in ("q_norm", "k_norm"):
        name = f"{at}{norm}.weight"
        tensors[name] = make.norm(name, shape.head_dim, 0.3)
    return tensors


def is_full(config: dict[str, Any], layer: int) -> bool:
    """Whether a layer is an attention layer."""
    return (layer + 1) % config["full_attention_interval"] == 0


def centred_norms(make: WeightMaker, tensors: Tensors) -> Tensors:
    """Norms of the residual stream around 0, since 1 is added."""
    for name in tensors:
        if name.endswith(("layernorm.weight", "model.norm.weight", "language_model.norm.weight")):
            tensors[name] = make.norm(name, tensors[name].shape[0], 0.0)
    return tensors


def tensors(seed: int) -> Tensors:
    """The Llama form with linear_attn or self_attn, and one tensor of a prediction layer to skip."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)

    def attention(layer: int, at: str) -> Tensors:
        if is_full(CONFIG, layer):
            return gated_attention(make, CONFIG, f"{at}self_attn.")
        return packed_linear_attention(make, CONFIG, f"{at}linear_attn.")

    def feed_forward(_layer: int, at: str) -> Tensors:
        return MIXTURE.tensors(make, f"{at}mlp.", shape.hidden)

    result = centred_norms(make, skeleton.decoder(make, shape, feed_forward, attention))
    return result | {"mtp.fc.weight": make.linear("mtp.fc.weight", shape.hidden, 2 * shape.hidden)}


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Qwen3-Next fixture."""
    rule = partial(softmax_then_top, CONFIG["num_experts_per_tok"], renormalise=True)
    return [
        Fixture(
            name="qwen3_next",
            script="families/qwen3_next.py",
            about="Qwen3-Next, two DeltaNet layers and one gated attention, gated shared expert, unused mtp tensor",
            config=CONFIG,
            tensors=tensors,
            load=loader(lambda _block: rule(), "shared_expert", "shared_expert_gate", ignored=r"^mtp"),
            vocabulary=CONFIG["vocab_size"],
        )
    ]
