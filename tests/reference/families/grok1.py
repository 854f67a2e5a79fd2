# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grok-1 in the hpcai-tech port: pickled shards, four norms, capped attention logits, multipliers.

Run by the modelling file published with the port (see common/remote.py). The config has no model_type.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts
from common.probes import ListProbe
from common.remote import RemoteCode, build_remote, remote_module
from common.routers import softmax_then_top
from common.weights import WeightMaker

CONFIG: dict[str, Any] = {
    "architectures": ["Grok1ModelForCausalLM"],
    "auto_map": {
        "AutoConfig": "configuration_grok1.Grok1Config",
        "AutoModel": "modeling_grok1.Grok1Model",
        "AutoModelForCausalLM": "modeling_grok1.Grok1ModelForCausalLM",
    },
    "vocab_size": 97,
    "hidden_size": 24,
    "intermediate_size": 13,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "attn_output_multiplier": 0.6,
    "embedding_multiplier_scale": 4.898979485566356,
    "output_multiplier_scale": 0.5773502691896257,
    "max_attn_value": 2.0,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-05,
    "use_cache": True,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": True,
    "num_experts_per_tok": 2,
    "num_experts": 5,
    "output_router_logits": False,
    "router_aux_loss_coef": 0.001,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.35.0",
}
ROLES = ("linear", "linear_v", "linear_1")  # gate, up, down
NORMS = ("pre_attn_norm", "post_attn_norm", "pre_moe_norm", "post_moe_norm")


def tensors(seed: int) -> skeleton.Tensors:
    """attn, moe_block and norms whose parameter is called scale; the head is stored too, as the embedding."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)
    embed = make.normal("model.embed_tokens.weight", (shape.vocabulary, shape.hidden), 0.3)
    result = {"model.embed_tokens.weight": embed}
    for layer in range(shape.layers):
        at = f"model.layers.{layer}."
        result |= skeleton.attention(make, shape, f"{at}attn.")
        block = f"{at}moe_block."
        result |= skeleton.router(make, f"{block}gate.weight", CONFIG["num_experts"], shape.hidden)
        result |= skeleton.experts(
            make, f"{block}experts.", CONFIG["num_experts"], shape.hidden, CONFIG["intermediate_size"], names=ROLES
        )
        for norm in NORMS:
            result[f"{at}{norm}.scale"] = make.norm(f"{at}{norm}.scale", shape.hidden)
    result["model.norm.scale"] = make.norm("model.norm.scale", shape.hidden)
    result["lm_head.weight"] = embed.clone()
    return result


def load(remote_code: RemoteCode, folder: Path) -> ModelParts:
    """The published modelling file with the folder's tensors."""
    modelling = remote_module(remote_code, "grok", "modeling_grok1")
    configuration = remote_module(remote_code, "grok", "configuration_grok1")
    model = build_remote(modelling.Grok1ModelForCausalLM, configuration.Grok1Config, CONFIG, read_tensors(folder))
    rule = softmax_then_top(CONFIG["num_experts_per_tok"], renormalise=False)

    def probe(layer: nn.Module) -> ListProbe:
        return ListProbe(layer.moe_block, layer.moe_block.gate.weight, layer.moe_block.experts, rule)

    return decoder_parts(model, probe, feed_forward="moe_block")


def fixtures(remote_code: RemoteCode) -> list[Fixture]:
    """The Grok-1 fixture; none without the published code. ffn_output is before the post norm."""
    if not remote_code:
        return []
    return [
        Fixture(
            name="grok1",
            script="families/grok1.py",
            about="Grok-1, two pickled bfloat16 shards, sandwich norms, attention cap 2, GELU, "
            "weights not renormalised",
            config=CONFIG,
            tensors=tensors,
            load=partial(load, remote_code),
            vocabulary=CONFIG["vocab_size"],
            shards=2,
            pickled=True,
        )
    ]
