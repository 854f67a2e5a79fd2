# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phi-3.5-MoE: layer norms and biases everywhere, longrope, the sparsemixer router.

For a text longer than the original length both the factors and the multiplier are the long ones, in the
code published with the model and in transformers 4.x. transformers 5.23 no longer passes the length to
the function that takes the factors, so that it joins short factors to the long multiplier; the length is
passed again here before the model is run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from common import skeleton
from common.fixture import Fixture, ModelParts, Routing
from common.loading import decoder_parts, load_with_transformers
from common.probes import FusedProbe
from common.remote import RemoteCode
from common.weights import WeightMaker
from families.standard import Tensors, base_config

JITTER = 0.2  # published: 0.01; wider, so that several experts stay in each softmax
CONFIG: dict[str, Any] = base_config(
    architectures=["PhiMoEForCausalLM"],
    attention_bias=True,
    hidden_size=24,
    input_jitter_noise=0.01,
    intermediate_size=11,
    lm_head_bias=True,
    max_position_embeddings=64,
    model_type="phimoe",
    num_experts_per_tok=2,
    num_local_experts=6,
    original_max_position_embeddings=16,
    rms_norm_eps=1e-05,
    rope_scaling={
        "long_factor": [1.5, 2.0],
        "long_mscale": 1.243163121016122,
        "original_max_position_embeddings": 16,
        "short_factor": [1.0, 1.25],
        "short_mscale": 1.1,
        "type": "longrope",
    },
    router_jitter_noise=JITTER,
    sliding_window=64,
)
ROLES = ("w1", "w3", "w2")


def _with_bias(make: WeightMaker, tensors: Tensors) -> Tensors:
    """A bias beside the weight of every norm."""
    for name in [n for n in tensors if "norm" in n]:
        bias = name.replace(".weight", ".bias")
        tensors[bias] = make.normal(bias, tuple(tensors[name].shape), 0.2)
    return tensors


def tensors(seed: int) -> Tensors:
    """Mixtral's names, biases on q, k, v, o, the norms and the head."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(CONFIG)

    def feed_forward(_layer: int, at: str) -> Tensors:
        block = f"{at}block_sparse_moe."
        return skeleton.router(make, f"{block}gate.weight", 6, shape.hidden) | skeleton.experts(
            make, f"{block}experts.", 6, shape.hidden, 11, names=ROLES
        )

    def attention(_layer: int, at: str) -> Tensors:
        return skeleton.attention(make, shape, f"{at}self_attn.", qkv_bias=True, o_bias=True)

    result = _with_bias(make, skeleton.decoder(make, shape, feed_forward, attention))
    result["lm_head.bias"] = make.normal("lm_head.bias", (shape.vocabulary,), 0.5)
    return result


def _near(logits: Tensor, best: Tensor, jitter: float) -> Tensor:
    """Entries within 2 jitter of the best, relative to the larger of |entry| and the best."""
    return (best - logits) / logits.abs().clamp(min=best) <= 2 * jitter


def rule(logits: Tensor, jitter: float = JITTER) -> Routing:
    """Two experts one after the other, each weighted by a softmax over the entries near the best."""
    order = torch.sort(logits, dim=-1, descending=True, stable=True).indices
    first, second = order[:, :1], order[:, 1:2]
    low = float("-inf")
    one = logits.masked_fill(~_near(logits, logits.gather(1, first), jitter), low).softmax(-1).gather(1, first)
    rest = logits.scatter(1, first, low)
    two = rest.masked_fill(~_near(logits, rest.gather(1, second), jitter), low).softmax(-1).gather(1, second)
    scores = torch.softmax(logits, dim=-1)
    return Routing(logits, scores, logits, torch.cat([first, second], 1), torch.cat([one, two], 1))


def load(folder: Path) -> ModelParts:
    """Loads with transformers, which calls the router `router`."""

    model = load_with_transformers(folder)
    own_rule = partial(rule, jitter=model.config.router_jitter_noise)

    def probe(layer: nn.Module) -> FusedProbe:
        return FusedProbe(layer.mlp, layer.mlp.router, layer.mlp.experts, own_rule)

    _pass_length(model.model.rotary_emb)
    return decoder_parts(model, probe)


def _pass_length(rotary: nn.Module) -> None:
    """Lets the function that makes frequencies know how long the text is."""
    make, length = rotary.rope_init_fn, [0]

    def measure(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        positions = kwargs["position_ids"] if "position_ids" in kwargs else args[1]
        length[0] = int(positions.max()) + 1

    rotary.register_forward_pre_hook(measure, with_kwargs=True)
    rotary.rope_init_fn = lambda config, *_more, **_options: make(config, seq_len=length[0])


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Phi fixture."""
    return [
        Fixture(
            name="phimoe",
            script="families/phimoe.py",
            about="Phi-3.5-MoE, layer norms with bias, longrope (one document longer than the original length), "
            "sparsemixer",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
        )
    ]
