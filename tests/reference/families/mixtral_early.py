# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixtral in the layout in which it circulated before transformers had it.

model_type is "mistral", the experts are under `mlp`, and the keys are num_experts and
num_experts_per_token. Run by the modelling file published with it (see common/remote.py).
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
from common.routers import top_then_softmax
from common.weights import WeightMaker

CONFIG: dict[str, Any] = {
    "architectures": ["MixtralForCausalLM"],
    "auto_map": {
        "AutoConfig": "configuration_moe_mistral.MixtralConfig",
        "AutoModelForCausalLM": "modeling_moe_mistral.MixtralForCausalLM",
    },
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 24,
    "initializer_range": 0.02,
    "intermediate_size": 17,
    "max_position_embeddings": 64,
    "model_type": "mistral",
    "num_attention_heads": 4,
    "num_experts": 5,
    "num_experts_per_token": 2,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "transformers_version": "4.36.0.dev0",
    "use_cache": True,
    "vocab_size": 97,
    "single_expert": False,
}
ROLES = ("w1", "w3", "w2")  # gate, up, down


def tensors(seed: int) -> skeleton.Tensors:
    """mlp.gate and mlp.experts.E.w1/w2/w3."""
    make = WeightMaker(seed, torch.float16)
    shape = skeleton.Shape.of(CONFIG)
    count, width = CONFIG["num_experts"], CONFIG["intermediate_size"]

    def feed_forward(_layer: int, at: str) -> skeleton.Tensors:
        return skeleton.router(make, f"{at}mlp.gate.weight", count, shape.hidden) | skeleton.experts(
            make, f"{at}mlp.experts.", count, shape.hidden, width, names=ROLES
        )

    return skeleton.decoder(make, shape, feed_forward)


def load(remote_code: RemoteCode, folder: Path) -> ModelParts:
    """The published modelling file with the folder's tensors."""
    modelling = remote_module(remote_code, "mixtral_base", "modeling_moe_mistral")
    configuration = remote_module(remote_code, "mixtral_base", "configuration_moe_mistral")
    model = build_remote(modelling.MixtralForCausalLM, configuration.MixtralConfig, CONFIG, read_tensors(folder))
    rule = top_then_softmax(CONFIG["num_experts_per_token"])

    def probe(layer: nn.Module) -> ListProbe:
        return ListProbe(layer.mlp, layer.mlp.gate.weight, layer.mlp.experts, rule)

    return decoder_parts(model, probe)


def fixtures(remote_code: RemoteCode) -> list[Fixture]:
    """The early-layout fixture; none without the published code."""
    if not remote_code:
        return []
    return [
        Fixture(
            name="mixtral-early",
            script="families/mixtral_early.py",
            about="Mixtral, early community layout, float16, five experts",
            config=CONFIG,
            tensors=tensors,
            load=partial(load, remote_code),
            vocabulary=CONFIG["vocab_size"],
        )
    ]
