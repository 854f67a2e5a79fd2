# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan-A13B: norms per head after RoPE, a RoPE base scaled by alpha, a shared MLP, float32 router."""

from __future__ import annotations

import torch

from common.fixture import Fixture
from common.remote import RemoteCode
from common.routers import softmax_then_top
from families.standard import Mixture, base_config, builder, loader

CONFIG = base_config(
    architectures=["HunYuanMoEV1ForCausalLM"],
    eod_token_id=3,
    head_dim=8,
    hidden_size=24,
    intermediate_size=11,
    model_type="hunyuan_v1_moe",
    moe_intermediate_size=[11, 11, 11],
    moe_topk=[2, 2, 2],
    num_experts=5,
    num_shared_expert=[1, 1, 1],
    pad_token_id=0,
    rms_norm_eps=1e-05,
    rope_scaling={"alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "factor": 1.0, "mscale": 1.0, "type": "dynamic"},
    tie_word_embeddings=True,
    use_cla=False,
    use_qk_norm=True,
)
MIXTURE = Mixture(experts=5, width=11, shared={"shared_mlp": 11}, router="gate.wg.weight", router_dtype=torch.float32)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Hunyuan fixture."""
    norms = {"query_layernorm": 8, "key_layernorm": 8}
    return [
        Fixture(
            name="hunyuan_v1_moe",
            script="families/hunyuan_v1_moe.py",
            about="Hunyuan-A13B, alpha-scaled RoPE, norms after RoPE, shared MLP, tied embeddings",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, attention={"norms": norms}),
            load=loader(lambda _block: softmax_then_top(2, renormalise=True), "shared_mlp"),
            vocabulary=97,
        )
    ]
