# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OLMoE: norms over the whole q and k projections, clipped q, k and v, weights not renormalised."""

from __future__ import annotations

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import softmax_then_top
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["OlmoeForCausalLM"],
    clip_qkv=1.1,
    hidden_size=24,
    intermediate_size=9,
    model_type="olmoe",
    norm_topk_prob=False,
    num_attention_heads=4,
    num_experts=8,
    num_experts_per_tok=3,
    rms_norm_eps=1e-05,
)
MIXTURE = Mixture(experts=8, width=9)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The OLMoE fixture."""
    norms = {"q_norm": 24, "k_norm": 12}
    return [
        Fixture(
            name="olmoe",
            script="families/olmoe.py",
            about="OLMoE, 8 experts top-3, q and k norms over the projection, clip_qkv active",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, attention={"norms": norms}),
            load=loader(lambda _block: softmax_then_top(3, renormalise=False)),
            vocabulary=97,
        )
    ]
