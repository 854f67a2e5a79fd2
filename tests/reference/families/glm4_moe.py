# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GLM-4.5: half of each head rotated, biases on q, k and v, norms per head, an extra layer to skip."""

from __future__ import annotations

import torch
from torch import nn

from common import skeleton
from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import BiasedRule, Groups
from common.weights import WeightMaker
from families.standard import Mixture, Tensors, base_config, builder, loader

CONFIG = base_config(
    architectures=["Glm4MoeForCausalLM"],
    attention_bias=True,
    eos_token_id=[94, 95, 96],
    first_k_dense_replace=1,
    head_dim=8,
    intermediate_size=29,
    model_type="glm4_moe",
    moe_intermediate_size=9,
    n_group=1,
    n_routed_experts=5,
    n_shared_experts=1,
    norm_topk_prob=True,
    num_experts_per_tok=2,
    num_nextn_predict_layers=1,
    partial_rotary_factor=0.5,
    rms_norm_eps=1e-05,
    rope_theta=1000000,
    routed_scaling_factor=1.5,
    topk_group=1,
    use_qk_norm=True,
)
MIXTURE = Mixture(experts=5, width=9, shared={"shared_experts": 9}, bias="gate.e_score_correction_bias")
NORMS = {"q_norm": 8, "k_norm": 8}


def rule(block: nn.Module) -> BiasedRule:
    """Sigmoid scores, one group, weights renormalised and scaled."""
    groups = Groups(1, 1, 2)
    return BiasedRule(2, block.gate.e_score_correction_bias, scale=1.5, groups=groups, excluded=float("-inf"))


def tensors(seed: int) -> Tensors:
    """The model and behind its last layer a next-token-prediction layer, which nobody reads here."""
    main = builder(CONFIG, MIXTURE, lambda layer: layer >= 1, 29, {"qkv_bias": True, "norms": NORMS})(seed)
    make = WeightMaker(seed, torch.bfloat16)
    hidden, at = CONFIG["hidden_size"], f"model.layers.{CONFIG['num_hidden_layers']}."
    for name in ("enorm", "hnorm", "shared_head.norm"):
        main[f"{at}{name}.weight"] = make.norm(f"{at}{name}.weight", hidden)
    main[f"{at}eh_proj.weight"] = make.linear(f"{at}eh_proj.weight", hidden, 2 * hidden)
    return main | skeleton.gated_mlp(make, f"{at}mlp.shared_experts.", hidden, 9)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The GLM-4.5 fixture."""
    return [
        Fixture(
            name="glm4_moe",
            script="families/glm4_moe.py",
            about="GLM-4.5, dense first layer, partial RoPE, per-head norms, q/k/v biases, tensors of an "
            "unused layer 3",
            config=CONFIG,
            tensors=tensors,
            load=loader(rule, "shared_experts", ignored=r"layers\.3\."),
            vocabulary=97,
        )
    ]
