# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ERNIE-4.5: interleaved RoPE, softmax scores chosen with a bias, tied embeddings."""

from __future__ import annotations

import torch
from torch import nn

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import BiasedRule
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["Ernie4_5_MoeForCausalLM"],
    hidden_size=24,
    intermediate_size=31,
    model_type="ernie4_5_moe",
    moe_capacity=[9, 9, 9],
    moe_intermediate_size=8,
    moe_k=3,
    moe_layer_end_index=-1,
    moe_layer_interval=1,
    moe_layer_start_index=1,
    moe_norm_min=1e-12,
    moe_num_experts=7,
    moe_num_shared_experts=2,
    num_attention_heads=4,
    pad_token_id=0,
    rms_norm_eps=1e-05,
    rope_theta=500000.0,
    tie_word_embeddings=True,
    use_bias=False,
)
del CONFIG["attention_bias"]
MIXTURE = Mixture(
    experts=7,
    width=8,
    shared={"shared_experts": 16},
    bias="moe_statics.e_score_correction_bias",
    bias_shape=(1, 7),
    router_dtype=torch.float32,
)


def rule(block: nn.Module) -> BiasedRule:
    """Softmax scores; the bias takes part in the choice alone."""
    bias = block.gate.moe_statics.e_score_correction_bias.detach().squeeze(0)
    return BiasedRule(3, bias, scoring="softmax", addend=0.0, floor=1e-12)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The ERNIE fixture."""
    return [
        Fixture(
            name="ernie4_5_moe",
            script="families/ernie4_5_moe.py",
            about="ERNIE-4.5, dense first layer, interleaved RoPE, bias [1, 7] in the choice, tied embeddings",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, lambda layer: layer >= 1, 31),
            load=loader(rule, "shared_experts"),
            vocabulary=97,
        )
    ]
