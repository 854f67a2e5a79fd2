# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Qwen1.5/2-MoE: gated shared expert, biases on q, k and v, dense layers by list, one layer with a window.

Which layers have the window is stated by layer_types: without that key transformers 5.x takes the even
layers below max_window_layers, while the published rule is all from max_window_layers on. The list
here agrees with the published rule.
"""

from __future__ import annotations

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import softmax_then_top
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["Qwen2MoeForCausalLM"],
    decoder_sparse_step=1,
    hidden_size=24,
    intermediate_size=31,
    layer_types=["full_attention", "full_attention", "sliding_attention"],
    max_window_layers=2,
    mlp_only_layers=[1],
    model_type="qwen2_moe",
    moe_intermediate_size=9,
    norm_topk_prob=False,
    num_attention_heads=4,
    num_experts=7,
    num_experts_per_tok=3,
    rope_theta=1000000.0,
    shared_expert_intermediate_size=13,
    sliding_window=4,
    use_sliding_window=True,
)
del CONFIG["attention_bias"]
MIXTURE = Mixture(experts=7, width=9, shared={"shared_expert": 13}, shared_gate="shared_expert_gate")


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Qwen2-MoE fixture."""
    return [
        Fixture(
            name="qwen2_moe",
            script="families/qwen2_moe.py",
            about="Qwen2-MoE, layer 1 dense, gated shared expert, q/k/v biases, window of 4 from layer 2 on",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, lambda layer: layer != 1, dense_width=31, attention={"qkv_bias": True}),
            load=loader(lambda _block: softmax_then_top(3, renormalise=False), "shared_expert", "shared_expert_gate"),
            vocabulary=97,
        )
    ]
