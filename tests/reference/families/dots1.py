# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""dots.llm1: norms per head before RoPE, sigmoid router with a selection bias, two shared experts."""

from __future__ import annotations

from torch import nn

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import BiasedRule, Groups
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["Dots1ForCausalLM"],
    first_k_dense_replace=1,
    head_dim=6,
    intermediate_size=29,
    model_type="dots1",
    moe_intermediate_size=7,
    n_group=1,
    n_routed_experts=7,
    n_shared_experts=2,
    norm_topk_prob=True,
    num_attention_heads=4,
    num_experts_per_tok=3,
    num_key_value_heads=4,
    rms_norm_eps=1e-05,
    routed_scaling_factor=2.5,
    scoring_func="noaux_tc",
    sliding_window=None,
    topk_group=1,
)
MIXTURE = Mixture(experts=7, width=7, shared={"shared_experts": 14}, bias="gate.e_score_correction_bias")


def rule(block: nn.Module) -> BiasedRule:
    """Sigmoid scores, one group, weights renormalised and scaled."""
    groups = Groups(1, 1, 2)
    return BiasedRule(3, block.gate.e_score_correction_bias, scale=2.5, groups=groups, excluded=float("-inf"))


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The dots1 fixture."""
    norms = {"q_norm": 6, "k_norm": 6}
    return [
        Fixture(
            name="dots1",
            script="families/dots1.py",
            about="dots1, dense first layer, 7 experts top-3 by biased sigmoid, scaled by 2.5, "
            "two fused shared experts",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, lambda layer: layer >= 1, 29, {"norms": norms}),
            load=loader(rule, "shared_experts"),
            vocabulary=97,
        )
    ]
