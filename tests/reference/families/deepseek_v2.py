# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepSeek-V2 and V2-Lite: latent attention, YaRN with mscale, softmax router with or without groups."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from common.fixture import Fixture, Routing, ordered_choice
from common.remote import RemoteCode
from common.routers import Groups, Rule, softmax_then_top
from families import latent
from families.standard import Mixture, base_config, builder, loader

#: Factor 8 from 16 tokens on; with theta 100 the ramp over the four frequencies is 0, 1/3, 2/3, 1.
YARN = {
    "beta_fast": 1,
    "beta_slow": 0.1,
    "factor": 8.0,
    "mscale": 0.707,
    "mscale_all_dim": 0.707,
    "original_max_position_embeddings": 16,
    "type": "yarn",
}
LITE: dict[str, Any] = base_config(
    architectures=["DeepseekV2ForCausalLM"],
    aux_loss_alpha=0.001,
    first_k_dense_replace=1,
    hidden_size=24,
    intermediate_size=29,
    kv_lora_rank=12,
    model_type="deepseek_v2",
    moe_intermediate_size=7,
    moe_layer_freq=1,
    n_group=1,
    n_routed_experts=6,
    n_shared_experts=2,
    norm_topk_prob=False,
    num_attention_heads=3,
    num_experts_per_tok=3,
    num_key_value_heads=3,
    q_lora_rank=None,
    qk_nope_head_dim=6,
    qk_rope_head_dim=8,
    rope_scaling=YARN,
    rope_theta=100,
    routed_scaling_factor=1.0,
    scoring_func="softmax",
    seq_aux=True,
    topk_group=1,
    topk_method="greedy",
    v_head_dim=5,
)
FULL: dict[str, Any] = LITE | {
    "n_group": 4,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "q_lora_rank": 10,
    "routed_scaling_factor": 2.5,
    "topk_group": 2,
    "topk_method": "group_limited_greedy",
}


def grouped_rule(config: dict[str, Any]) -> Rule:
    """The group's score is its best expert's; the others' scores count as 0; weights are scaled."""
    groups = Groups(config["n_group"], config["topk_group"], 1)

    def rule(logits: Tensor) -> Routing:
        plain = softmax_then_top(config["num_experts_per_tok"], renormalise=False)(logits)
        selection = groups.limited(plain.scores, 0.0)
        chosen = ordered_choice(selection, config["num_experts_per_tok"])
        weights = selection.gather(1, chosen) * config["routed_scaling_factor"]
        return Routing(logits, plain.scores, selection, chosen, weights)

    return rule


def _fixture(name: str, about: str, config: dict[str, Any], rule: Rule) -> Fixture:
    width = config["moe_intermediate_size"]
    mixture = Mixture(config["n_routed_experts"], width, {"shared_experts": width * config["n_shared_experts"]})
    return Fixture(
        name=name,
        script="families/deepseek_v2.py",
        about=about,
        config=config,
        tensors=builder(
            config,
            mixture,
            lambda layer: layer >= config["first_k_dense_replace"],
            config["intermediate_size"],
            attention_of=partial(_attention, config),
        ),
        load=loader(lambda _block: rule, "shared_experts"),
        vocabulary=config["vocab_size"],
    )


def _attention(config: dict[str, Any], make: Any, at: str) -> dict[str, Tensor]:
    return latent.attention(make, config, at)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """V2-Lite and V2."""
    greedy = softmax_then_top(LITE["num_experts_per_tok"], renormalise=False)
    return [
        _fixture("deepseek_v2-lite", "DeepSeek-V2-Lite, no query latent, YaRN with mscale, greedy top-3", LITE, greedy),
        _fixture(
            "deepseek_v2", "DeepSeek-V2, query latent, 2 of 4 groups, weights scaled by 2.5", FULL, grouped_rule(FULL)
        ),
    ]
