# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ling (`bailing_moe`) of both kinds, run by the files published with them (see common/remote.py)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts, MoeProbe
from common.loading import decoder_parts
from common.probes import WatchedListProbe
from common.remote import RemoteCode, build_remote, has_remote, remote_module
from common.routers import BiasedRule, Groups, softmax_then_top
from common.weights import WeightMaker
from families.standard import base_config

#: First kind: softmax, RoPE over whole heads, head normalised over the vocabulary when it is loaded.
V1: dict[str, Any] = base_config(
    architectures=["BailingMoeForCausalLM"],
    first_k_dense_replace=0,
    head_dim=8,
    hidden_size=20,
    intermediate_size=29,
    max_window_layers=28,
    model_type="bailing_moe",
    moe_intermediate_size=7,
    norm_head=True,
    norm_topk_prob=True,
    num_attention_heads=6,
    num_experts=7,
    num_experts_per_tok=3,
    num_hidden_layers=2,
    num_key_value_heads=2,
    num_shared_experts=2,
    output_router_logits=False,
    pad_token_id=0,
    use_bias=False,
    use_qkv_bias=False,
)
#: What the published checkpoints of the first kind leave off.
V1_VARIANT: dict[str, Any] = V1 | {
    "first_k_dense_replace": 1,
    "norm_head": False,
    "norm_topk_prob": False,
    "num_experts": 5,
    "num_key_value_heads": 3,
    "num_experts_per_tok": 2,
    "num_shared_experts": 1,
    "rope_scaling": {"type": "linear", "factor": 2.5},
    "use_bias": True,
    "use_qkv_bias": True,
}
#: Second kind: sigmoid with a bias and groups, norms of heads, half of each head rotated, a layer to skip.
V2: dict[str, Any] = base_config(
    architectures=["BailingMoeV2ForCausalLM"],
    first_k_dense_replace=1,
    head_dim=8,
    hidden_size=20,
    intermediate_size=29,
    max_window_layers=20,
    model_type="bailing_moe",
    moe_intermediate_size=7,
    moe_router_enable_expert_bias=True,
    moe_shared_expert_intermediate_size=7,
    n_group=3,
    norm_topk_prob=True,
    num_attention_heads=6,
    num_experts=9,
    num_experts_per_tok=3,
    num_key_value_heads=2,
    num_nextn_predict_layers=1,
    num_shared_experts=1,
    output_router_logits=False,
    pad_token_id=0,
    partial_rotary_factor=0.5,
    rope_theta=600.0,
    routed_scaling_factor=2.5,
    router_dtype="fp32",
    score_function="sigmoid",
    topk_group=2,
    use_bias=False,
    use_qk_norm=True,
    use_qkv_bias=False,
    use_rmsnorm=True,
)


def _attention(make: WeightMaker, config: dict[str, Any], at: str) -> skeleton.Tensors:
    """query_key_value has the rows of q, then k, then v."""
    hidden, size = config["hidden_size"], config["head_dim"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    rows = (heads + 2 * kv_heads) * size
    fused, dense = f"{at}query_key_value", f"{at}dense"
    tensors = {
        f"{fused}.weight": make.linear(f"{fused}.weight", rows, hidden, 1.4),
        f"{dense}.weight": make.linear(f"{dense}.weight", hidden, heads * size),
    }
    if config["use_qkv_bias"]:
        tensors[f"{fused}.bias"] = make.normal(f"{fused}.bias", (rows,), 0.3)
    if config["use_bias"]:
        tensors[f"{dense}.bias"] = make.normal(f"{dense}.bias", (hidden,), 0.3)
    for norm in ("query_layernorm", "key_layernorm") if config.get("use_qk_norm") else ():
        tensors[f"{at}{norm}.weight"] = make.norm(f"{at}{norm}.weight", size, skeleton.NORM_OF_HEADS)
    return tensors


def _mixture(make: WeightMaker, config: dict[str, Any], at: str) -> skeleton.Tensors:
    hidden, count, width = config["hidden_size"], config["num_experts"], config["moe_intermediate_size"]
    tensors = skeleton.router(make, f"{at}gate.weight", count, hidden)
    if "n_group" in config:
        tensors |= skeleton.correction_bias(make, f"{at}gate.expert_bias", (count,))
    tensors |= skeleton.experts(make, f"{at}experts.", count, hidden, width)
    return tensors | skeleton.gated_mlp(make, f"{at}shared_experts.", hidden, width * config["num_shared_experts"])


def _next_token_layer(make: WeightMaker, config: dict[str, Any], at: str) -> skeleton.Tensors:
    """The whole extra layer, which plain inference has no use for."""
    hidden = config["hidden_size"]
    names = ("input_layernorm", "post_attention_layernorm", "enorm", "hnorm", "final_layernorm")
    tensors = {f"{at}{name}.weight": make.norm(f"{at}{name}.weight", hidden) for name in names}
    tensors[f"{at}eh_proj.weight"] = make.linear(f"{at}eh_proj.weight", hidden, 2 * hidden)
    return tensors | _attention(make, config, f"{at}attention.") | _mixture(make, config, f"{at}mlp.")


def tensors(config: dict[str, Any], seed: int) -> skeleton.Tensors:
    """word_embeddings, attention.query_key_value and .dense, mlp as DeepSeek's."""
    make = WeightMaker(seed, torch.bfloat16)

    def feed_forward(layer: int, at: str) -> skeleton.Tensors:
        if layer < config["first_k_dense_replace"]:
            return skeleton.gated_mlp(make, f"{at}mlp.", config["hidden_size"], config["intermediate_size"])
        return _mixture(make, config, f"{at}mlp.")

    def attention(_layer: int, at: str) -> skeleton.Tensors:
        return _attention(make, config, f"{at}attention.")

    plain = skeleton.decoder(make, skeleton.Shape.of(config), feed_forward, attention)
    result = {name.replace("embed_tokens", "word_embeddings"): tensor for name, tensor in plain.items()}
    for extra in range(config.get("num_nextn_predict_layers", 0)):
        at = f"model.layers.{config['num_hidden_layers'] + extra}."
        result |= _next_token_layer(make, config, at)
    return result


def _load(config: dict[str, Any], remote_code: RemoteCode, suffix: str, model: str, folder: Path) -> ModelParts:
    modelling = remote_module(remote_code, "models", f"modeling_{suffix}")
    configuration = remote_module(remote_code, "models", f"configuration_{suffix}")
    if hasattr(modelling, "MoEV2CausalLMOutputWithPast"):
        modelling.MoEV2CausalLMOutputWithPast = SimpleNamespace
    settings = getattr(configuration, f"{model}Config")
    loaded = build_remote(getattr(modelling, f"{model}ForCausalLM"), settings, config, read_tensors(folder))
    k = config["num_experts_per_tok"]

    def probe(layer: nn.Module) -> MoeProbe | None:
        block = layer.mlp
        if not hasattr(block, "gate"):
            return None
        if "n_group" in config:
            groups = Groups(config["n_group"], config["topk_group"], 2)
            scale = config["routed_scaling_factor"]
            rule = BiasedRule(k, block.gate.expert_bias, scale=scale, groups=groups, excluded=float("-inf"))
        else:
            rule = softmax_then_top(k, config["norm_topk_prob"])
        return WatchedListProbe(block, block.gate.weight, block.experts, rule, block.shared_experts).watch(block.gate)

    parts = decoder_parts(loaded, probe)
    count = config["num_hidden_layers"]
    parts.layers, parts.feed_forward = parts.layers[:count], parts.feed_forward[:count]
    parts.probes = {layer: found for layer, found in parts.probes.items() if layer < count}
    return parts


#: name -> config, suffix of the files, stem of the classes, what it is.
KINDS = {
    "bailing_moe": (V1, "bailing_moe", "BailingMoe", "Ling: 7 experts top-3 renormalised, two fused shared, norm_head"),
    "bailing_moe-variant": (
        V1_VARIANT, "bailing_moe", "BailingMoe",
        "Ling with a dense layer, biases, linear RoPE scaling, weights not renormalised, a plain head",
    ),
    "bailing_moe_v2": (
        V2, "bailing_moe_v2", "BailingMoeV2",
        "Ling 2.0: norms of heads, half of each head rotated, biased sigmoid, 2 of 3 groups, an unused layer 3",
    ),
}  # fmt: skip


def fixtures(remote_code: RemoteCode) -> list[Fixture]:
    """Those whose published code is there."""
    return [
        Fixture(
            name=name,
            script="families/bailing_moe.py",
            about=about,
            config=config,
            tensors=partial(tensors, config),
            load=partial(_load, config, remote_code, suffix, model),
            vocabulary=97,
            shards=2 if name == "bailing_moe" else 1,
        )
        for name, (config, suffix, model, about) in KINDS.items()
        if has_remote(remote_code, "models", f"modeling_{suffix}")
    ]
