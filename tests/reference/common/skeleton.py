# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tensors that the families of the Llama form share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from common.weights import WeightMaker

Tensors = dict[str, Tensor]

#: Gain of embeddings and router rows: logits of a few units, so that routing is not near a tie.
EMBEDDING_DEVIATION = 1.0
ROUTER_GAIN = 2.0
#: Centre of q and k norms: above 1, so that attention is not nearly uniform.
NORM_OF_HEADS = 1.3


@dataclass(frozen=True)
class Shape:
    """Sizes of the attention part, in the names of models.md."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int

    @staticmethod
    def of(config: dict[str, Any]) -> Shape:
        """Read from a config; head_dim defaults to hidden / heads."""
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        return Shape(
            config["vocab_size"],
            hidden,
            config["num_hidden_layers"],
            heads,
            config.get("num_key_value_heads") or heads,
            config.get("head_dim") or hidden // heads,
        )


def attention(
    make: WeightMaker,
    shape: Shape,
    prefix: str,
    qkv_bias: bool = False,
    o_bias: bool = False,
    norms: dict[str, int] | None = None,
) -> Tensors:
    """q, k, v and o projections with optional biases; `norms` are names and sizes of q and k norms."""
    widths = {"q": shape.heads, "k": shape.kv_heads, "v": shape.kv_heads}
    tensors: Tensors = {}
    for letter, heads in widths.items():
        name = f"{prefix}{letter}_proj"
        tensors[f"{name}.weight"] = make.linear(f"{name}.weight", heads * shape.head_dim, shape.hidden, 1.4)
        if qkv_bias:
            tensors[f"{name}.bias"] = make.normal(f"{name}.bias", (heads * shape.head_dim,), 0.3)
    name = f"{prefix}o_proj"
    tensors[f"{name}.weight"] = make.linear(f"{name}.weight", shape.hidden, shape.heads * shape.head_dim)
    if o_bias:
        tensors[f"{name}.bias"] = make.normal(f"{name}.bias", (shape.hidden,), 0.3)
    for norm, size in (norms or {}).items():
        tensors[f"{prefix}{norm}.weight"] = make.norm(f"{prefix}{norm}.weight", size, NORM_OF_HEADS)
    return tensors


def gated_mlp(
    make: WeightMaker,
    prefix: str,
    hidden: int,
    width: int,
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
) -> Tensors:
    """The three matrices of a gated feed-forward, in the order gate, up, down."""
    gate, up, down = (f"{prefix}{name}.weight" for name in names)
    return {
        gate: make.linear(gate, width, hidden, 1.2),
        up: make.linear(up, width, hidden, 1.2),
        down: make.linear(down, hidden, width, 1.5),
    }


def experts(make: WeightMaker, prefix: str, count: int, hidden: int, width: int, **options: Any) -> Tensors:
    """A gated feed-forward per expert, `prefix` + expert number + dot."""
    tensors: Tensors = {}
    for expert in range(count):
        tensors |= gated_mlp(make, f"{prefix}{expert}.", hidden, width, **options)
    return tensors


def decoder(
    make: WeightMaker,
    shape: Shape,
    feed_forward: Callable[[int, str], Tensors],
    attention_of: Callable[[int, str], Tensors] | None = None,
    tied: bool = False,
    prefix: str = "model.",
) -> Tensors:
    """The whole Llama form; `feed_forward` and `attention_of` get the layer and its prefix."""
    tensors: Tensors = {}
    embed = f"{prefix}embed_tokens.weight"
    tensors[embed] = make.normal(embed, (shape.vocabulary, shape.hidden), EMBEDDING_DEVIATION)
    for layer in range(shape.layers):
        at = f"{prefix}layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}{norm}.weight"] = make.norm(f"{at}{norm}.weight", shape.hidden)
        if attention_of is None:
            tensors |= attention(make, shape, f"{at}self_attn.")
        else:
            tensors |= attention_of(layer, at)
        tensors |= feed_forward(layer, at)
    tensors[f"{prefix}norm.weight"] = make.norm(f"{prefix}norm.weight", shape.hidden)
    if not tied:
        tensors["lm_head.weight"] = make.linear("lm_head.weight", shape.vocabulary, shape.hidden, 2.0)
    return tensors


def router(make: WeightMaker, name: str, count: int, hidden: int) -> Tensors:
    """Router rows [count, hidden]."""
    return {name: make.linear(name, count, hidden, ROUTER_GAIN)}


def correction_bias(make: WeightMaker, name: str, shape: tuple[int, ...]) -> Tensors:
    """A selection bias in float32, as published; large enough to change choices."""
    return {name: make.normal(name, shape, 0.15).float()}
