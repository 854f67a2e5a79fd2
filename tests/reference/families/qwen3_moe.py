# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Qwen3-MoE: explicit head_dim, norms per head before RoPE, every second layer a mixture."""

from __future__ import annotations

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import softmax_then_top
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["Qwen3MoeForCausalLM"],
    decoder_sparse_step=2,
    head_dim=6,
    hidden_size=18,
    intermediate_size=23,
    max_window_layers=4,
    mlp_only_layers=[],
    model_type="qwen3_moe",
    moe_intermediate_size=7,
    norm_topk_prob=True,
    num_experts=9,
    num_experts_per_tok=4,
    num_hidden_layers=4,
    num_key_value_heads=3,
    rope_theta=1000000.0,
    sliding_window=None,
    use_sliding_window=False,
)
MIXTURE = Mixture(experts=9, width=7)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Qwen3-MoE fixture."""
    norms = {"q_norm": 6, "k_norm": 6}
    return [
        Fixture(
            name="qwen3_moe",
            script="families/qwen3_moe.py",
            about="Qwen3-MoE, 36 attention channels at hidden 18, 9 experts top-4 renormalised, "
            "layers 1 and 3 mixtures",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, lambda layer: layer % 2 == 1, 23, {"norms": norms}),
            load=loader(lambda _block: softmax_then_top(4, renormalise=True)),
            vocabulary=97,
        )
    ]
