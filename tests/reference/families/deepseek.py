# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepSeekMoE-16B (`deepseek`), run by the modelling file published beside it (see common/remote.py)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts, MoeProbe
from common.loading import decoder_parts
from common.probes import WatchedListProbe
from common.remote import RemoteCode, build_remote, remote_module
from common.routers import softmax_then_top
from common.weights import WeightMaker

CONFIG: dict[str, Any] = {
    "architectures": ["DeepseekForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "auto_map": {
        "AutoConfig": "configuration_deepseek.DeepseekConfig",
        "AutoModel": "modeling_deepseek.DeepseekModel",
        "AutoModelForCausalLM": "modeling_deepseek.DeepseekForCausalLM",
    },
    "bos_token_id": 95,
    "eos_token_id": 96,
    "first_k_dense_replace": 1,
    "hidden_act": "silu",
    "hidden_size": 24,
    "initializer_range": 0.02,
    "intermediate_size": 41,
    "max_position_embeddings": 64,
    "model_type": "deepseek",
    "moe_intermediate_size": 7,
    "moe_layer_freq": 1,
    "n_routed_experts": 9,
    "n_shared_experts": 2,
    "norm_topk_prob": False,
    "num_attention_heads": 3,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 3,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-06,
    "rope_scaling": None,
    "rope_theta": 10000,
    "scoring_func": "softmax",
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.36.0",
    "use_cache": True,
    "vocab_size": 97,
}
#: The switches of the configuration that the published checkpoint leaves off.
VARIANT: dict[str, Any] = CONFIG | {
    "attention_bias": True,
    "hidden_size": 20,
    "moe_layer_freq": 2,
    "n_routed_experts": 5,
    "n_shared_experts": 1,
    "norm_topk_prob": True,
    "num_attention_heads": 5,
    "num_hidden_layers": 5,
    "num_key_value_heads": 1,
    "rope_scaling": {"type": "linear", "factor": 2.5},
    "torch_dtype": "float32",
}


def is_mixture(config: dict[str, Any], layer: int) -> bool:
    """The published rule for which layers are mixtures."""
    return layer >= config["first_k_dense_replace"] and layer % config["moe_layer_freq"] == 0


def tensors(config: dict[str, Any], seed: int) -> skeleton.Tensors:
    """mlp.gate, mlp.experts.E and mlp.shared_experts, dense first layers."""
    make = WeightMaker(seed, getattr(torch, config["torch_dtype"]))
    shape = skeleton.Shape.of(config)
    count, width = config["n_routed_experts"], config["moe_intermediate_size"]
    bias = config["attention_bias"]

    def feed_forward(layer: int, at: str) -> skeleton.Tensors:
        if not is_mixture(config, layer):
            return skeleton.gated_mlp(make, f"{at}mlp.", shape.hidden, config["intermediate_size"])
        return (
            skeleton.experts(make, f"{at}mlp.experts.", count, shape.hidden, width)
            | skeleton.router(make, f"{at}mlp.gate.weight", count, shape.hidden)
            | skeleton.gated_mlp(make, f"{at}mlp.shared_experts.", shape.hidden, width * config["n_shared_experts"])
        )

    def attention(_layer: int, at: str) -> skeleton.Tensors:
        return skeleton.attention(make, shape, f"{at}self_attn.", qkv_bias=bias, o_bias=bias)

    return skeleton.decoder(make, shape, feed_forward, attention)


def load_folder(config: dict[str, Any], remote_code: RemoteCode, folder: Path) -> ModelParts:
    """The published modelling file with the folder's tensors."""
    modelling = remote_module(remote_code, "deepseekmoe", "modeling_deepseek")
    configuration = remote_module(remote_code, "deepseekmoe", "configuration_deepseek")
    model = build_remote(modelling.DeepseekForCausalLM, configuration.DeepseekConfig, config, read_tensors(folder))
    rule = softmax_then_top(config["num_experts_per_tok"], config["norm_topk_prob"], addend=1e-20)

    def probe(layer: nn.Module) -> MoeProbe | None:
        if not hasattr(layer.mlp, "gate"):
            return None
        block = layer.mlp
        return WatchedListProbe(block, block.gate.weight, block.experts, rule, block.shared_experts).watch(block.gate)

    return decoder_parts(model, probe)


def fixtures(remote_code: RemoteCode) -> list[Fixture]:
    """The two DeepSeekMoE fixtures; none without the published code."""
    if not remote_code:
        return []
    common = {"script": "families/deepseek.py", "vocabulary": 97, "whole": True}
    return [
        Fixture(
            name="deepseek",
            about="DeepSeekMoE-16B form: dense first layer, 2 shared and 9 routed experts, top-3, two bfloat16 shards",
            config=CONFIG,
            tensors=partial(tensors, CONFIG),
            load=partial(load_folder, CONFIG, remote_code),
            shards=2,
            **common,
        ),
        Fixture(
            name="deepseek-variant",
            about="deepseek with renormalised weights, every second layer a mixture, linear RoPE scaling, biases",
            config=VARIANT,
            tensors=partial(tensors, VARIANT),
            load=partial(load_folder, VARIANT, remote_code),
            **common,
        ),
    ]
