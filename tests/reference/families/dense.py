# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dense models: Mistral as the baseline of the Mixtral fixture, with a window, and Llama."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch

from common import skeleton
from common.fixture import Fixture, ModelParts
from common.loading import decoder_parts, load_with_transformers
from common.remote import RemoteCode
from common.weights import WeightMaker

#: Same layers, hidden size, feed-forward width and vocabulary as the Mixtral fixture.
BASELINE: dict[str, Any] = {
    "architectures": ["MistralForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": 2,
    "head_dim": 10,
    "hidden_act": "silu",
    "hidden_size": 20,
    "initializer_range": 0.02,
    "intermediate_size": 14,
    "max_position_embeddings": 128,
    "model_type": "mistral",
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "sliding_window": 64,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.34.0.dev0",
    "use_cache": True,
    "vocab_size": 97,
}
#: The window is shorter than two of the documents.
WINDOWED: dict[str, Any] = BASELINE | {
    "head_dim": 6,
    "hidden_size": 21,
    "intermediate_size": 33,
    "num_attention_heads": 5,
    "num_hidden_layers": 3,
    "num_key_value_heads": 1,
    "sliding_window": 5,
    "torch_dtype": "float32",
}
#: Wave lengths of head_dim 8 at theta 500 are 6, 30, 140 and 664: kept, blended, divided, divided.
LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": True,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": [2, 3],
    "head_dim": 8,
    "hidden_act": "silu",
    "hidden_size": 24,
    "initializer_range": 0.02,
    "intermediate_size": 37,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 6,
    "num_hidden_layers": 3,
    "num_key_value_heads": 3,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 64,
        "rope_type": "llama3",
    },
    "rope_theta": 500.0,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.45.0.dev0",
    "use_cache": True,
    "vocab_size": 101,
}


def tensors(config: dict[str, Any], seed: int) -> skeleton.Tensors:
    """The Llama skeleton; biases on q, k, v and o where the config asks for them."""
    make = WeightMaker(seed, getattr(torch, config["torch_dtype"]))
    shape = skeleton.Shape.of(config)
    bias = config.get("attention_bias", False)

    def feed_forward(_layer: int, at: str) -> skeleton.Tensors:
        return skeleton.gated_mlp(make, f"{at}mlp.", shape.hidden, config["intermediate_size"])

    def attention(_layer: int, at: str) -> skeleton.Tensors:
        return skeleton.attention(make, shape, f"{at}self_attn.", qkv_bias=bias, o_bias=bias)

    return skeleton.decoder(make, shape, feed_forward, attention, tied=config["tie_word_embeddings"])


def load(folder: Path) -> ModelParts:
    """Loads with transformers; there is no mixture layer."""
    return decoder_parts(load_with_transformers(folder), lambda _layer: None)


def _fixture(name: str, about: str, config: dict[str, Any], **options: Any) -> Fixture:
    return Fixture(
        name=name,
        script="families/dense.py",
        about=about,
        config=config,
        tensors=partial(tensors, config),
        load=load,
        vocabulary=config["vocab_size"],
        **options,
    )


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The dense fixtures."""
    return [
        _fixture(
            "mistral-baseline", "Dense baseline F of the Mixtral fixture, one bfloat16 file", BASELINE, whole=True
        ),
        _fixture("mistral-window", "Mistral with a sliding window of 5, one key-value head, float32", WINDOWED),
        _fixture("llama", "Llama with llama3 RoPE scaling, attention biases, tied embeddings", LLAMA, shards=2),
    ]
