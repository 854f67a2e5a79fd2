# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kimi-K2: DeepSeek-V3 under a model type of its own, with one group, one dense layer and a sharp YaRN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_rewritten
from common.probes import FusedProbe, Shared
from common.remote import RemoteCode
from common.routers import BiasedRule, Groups
from common.weights import WeightMaker
from families import latent
from families.standard import Mixture, Tensors, base_config, builder

#: beta_fast equals beta_slow: the frequencies step from unscaled to divided within one pair. The original
#: length is short, so that the step lies inside the 5 pairs of a head.
CONFIG: dict[str, Any] = base_config(
    architectures=["DeepseekV3ForCausalLM"],
    aux_loss_alpha=0.001,
    ep_size=1,
    first_k_dense_replace=1,
    hidden_size=22,
    intermediate_size=29,
    kv_lora_rank=12,
    model_type="kimi_k2",
    moe_intermediate_size=9,
    moe_layer_freq=1,
    n_group=1,
    n_routed_experts=11,
    n_shared_experts=1,
    norm_topk_prob=True,
    num_attention_heads=3,
    num_experts_per_tok=4,
    num_hidden_layers=3,
    num_key_value_heads=3,
    num_nextn_predict_layers=0,
    q_lora_rank=10,
    qk_nope_head_dim=6,
    qk_rope_head_dim=10,
    rope_scaling={
        "beta_fast": 1.0,
        "beta_slow": 1.0,
        "factor": 8.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 32,
        "type": "yarn",
    },
    rope_theta=50.0,
    routed_scaling_factor=2.827,
    scoring_func="sigmoid",
    seq_aux=True,
    topk_group=1,
    topk_method="noaux_tc",
    v_head_dim=5,
)
MIXTURE = Mixture(experts=11, width=9, shared={"shared_experts": 9}, bias="gate.e_score_correction_bias")


def _attention(make: WeightMaker, at: str) -> Tensors:
    return latent.attention(make, CONFIG, at)


def load(folder: Path) -> ModelParts:
    """The same files under DeepSeek-V3's model type, as the checkpoint's own code does."""
    model = load_rewritten(CONFIG | {"model_type": "deepseek_v3"}, read_tensors(folder))

    def probe(layer: nn.Module) -> FusedProbe | None:
        block = layer.mlp
        if not hasattr(block, "experts"):
            return None
        bias, groups = block.gate.e_score_correction_bias, Groups(1, 1, 2)
        rule = BiasedRule(4, bias, scale=2.827, groups=groups, excluded=float("-inf"))
        return FusedProbe(block, block.gate, block.experts, rule, Shared(block.shared_experts))

    return decoder_parts(model, probe)


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Kimi-K2 fixture."""
    return [
        Fixture(
            name="kimi_k2",
            script="families/kimi_k2.py",
            about="Kimi-K2: DeepSeek-V3 with one group, 11 experts top-4, one dense layer, YaRN with equal betas",
            config=CONFIG,
            tensors=builder(CONFIG, MIXTURE, lambda layer: layer >= 1, 29, attention_of=_attention),
            load=load,
            vocabulary=CONFIG["vocab_size"],
        )
    ]
