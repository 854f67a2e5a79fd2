# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepSeek-V3: latent attention, sigmoid router with bias and groups, an extra layer to skip."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from common import skeleton
from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import BiasedRule, Groups
from common.weights import WeightMaker
from families import latent
from families.deepseek_v2 import YARN
from families.standard import Mixture, Tensors, base_config, builder, loader

CONFIG: dict[str, Any] = base_config(
    architectures=["DeepseekV3ForCausalLM"],
    first_k_dense_replace=2,
    hidden_size=22,
    intermediate_size=29,
    kv_lora_rank=12,
    model_type="deepseek_v3",
    moe_intermediate_size=9,
    moe_layer_freq=1,
    n_group=3,
    n_routed_experts=9,
    n_shared_experts=1,
    norm_topk_prob=True,
    num_attention_heads=3,
    num_experts_per_tok=3,
    num_hidden_layers=4,
    num_key_value_heads=3,
    num_nextn_predict_layers=1,
    q_lora_rank=10,
    qk_nope_head_dim=6,
    qk_rope_head_dim=8,
    rope_scaling=YARN | {"mscale": 1.0, "mscale_all_dim": 1.0},
    rope_theta=100,
    routed_scaling_factor=2.5,
    scoring_func="sigmoid",
    topk_group=2,
    topk_method="noaux_tc",
    v_head_dim=5,
)
MIXTURE = Mixture(experts=9, width=9, shared={"shared_experts": 9}, bias="gate.e_score_correction_bias")


def rule(block: nn.Module) -> BiasedRule:
    """A group's score is the sum of its two best; experts of other groups cannot be chosen."""
    groups = Groups(CONFIG["n_group"], CONFIG["topk_group"], 2)
    return BiasedRule(3, block.gate.e_score_correction_bias, scale=2.5, groups=groups, excluded=float("-inf"))


def _attention(make: WeightMaker, at: str) -> Tensors:
    return latent.attention(make, CONFIG, at)


def tensors(seed: int) -> Tensors:
    """The model and the start of a next-token-prediction layer behind it."""
    main = builder(CONFIG, MIXTURE, lambda layer: layer >= 2, 29, attention_of=_attention)(seed)
    make = WeightMaker(seed, torch.bfloat16)
    hidden, at = CONFIG["hidden_size"], f"model.layers.{CONFIG['num_hidden_layers']}."
    for name in ("enorm", "hnorm", "shared_head.norm"):
        main[f"{at}{name}.weight"] = make.norm(f"{at}{name}.weight", hidden)
    main[f"{at}eh_proj.weight"] = make.linear(f"{at}eh_proj.weight", hidden, 2 * hidden)
    return main | skeleton.gated_mlp(make, f"{at}mlp.shared_experts.", hidden, 9)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The V3 fixture."""
    return [
        Fixture(
            name="deepseek_v3",
            script="families/deepseek_v3.py",
            about="DeepSeek-V3, two dense layers, 2 of 3 groups by top-2 sum, biased sigmoid, an unused layer 4",
            config=CONFIG,
            tensors=tensors,
            load=loader(rule, "shared_experts", ignored=r"layers\.4\."),
            vocabulary=CONFIG["vocab_size"],
        )
    ]
