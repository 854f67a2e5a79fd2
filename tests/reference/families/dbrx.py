# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DBRX: nested configuration, fused q, k, v, clipped, layer norms without bias, experts stacked by rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts
from common.loading import load_rewritten, plain_logits
from common.probes import FusedProbe
from common.remote import RemoteCode
from common.routers import softmax_then_top
from common.weights import WeightMaker

CONFIG: dict[str, Any] = {
    "architectures": ["DbrxForCausalLM"],
    "attn_config": {"clip_qkv": 1.3, "kv_n_heads": 2, "model_type": "", "rope_theta": 500000},
    "d_model": 24,
    "emb_pdrop": 0.0,
    "ffn_config": {
        "ffn_act_fn": {"name": "silu"},
        "ffn_hidden_size": 9,
        "hidden_size": 24,
        "model_type": "",
        "moe_jitter_eps": 0,
        "moe_loss_weight": 0.05,
        "moe_normalize_expert_weights": 1,
        "moe_num_experts": 6,
        "moe_top_k": 3,
    },
    "initializer_range": 0.02,
    "max_seq_len": 128,
    "model_type": "dbrx",
    "n_heads": 4,
    "n_layers": 3,
    "resid_pdrop": 0.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.38.2",
    "use_cache": True,
    "vocab_size": 97,
}


def tensors(seed: int) -> skeleton.Tensors:
    """transformer.blocks.N.*; w1, v1 and w2 all [E I, H], without `.weight`."""
    make = WeightMaker(seed, torch.bfloat16)
    ffn, hidden = CONFIG["ffn_config"], CONFIG["d_model"]
    count, width = ffn["moe_num_experts"], ffn["ffn_hidden_size"]
    keys = CONFIG["attn_config"]["kv_n_heads"] * hidden // CONFIG["n_heads"]
    result = {"transformer.wte.weight": make.normal("transformer.wte.weight", (CONFIG["vocab_size"], hidden))}
    for layer in range(CONFIG["n_layers"]):
        at = f"transformer.blocks.{layer}."
        for norm in ("norm_1", "norm_2"):
            name = f"{at}norm_attn_norm.{norm}.weight"
            result[name] = make.norm(name, hidden)
        for name, outputs in (("Wqkv", hidden + 2 * keys), ("out_proj", hidden)):
            full = f"{at}norm_attn_norm.attn.{name}.weight"
            result[full] = make.linear(full, outputs, hidden, 1.3)
        result |= skeleton.router(make, f"{at}ffn.router.layer.weight", count, hidden)
        for name, inputs, gain in (("w1", hidden, 1.2), ("v1", hidden, 1.2), ("w2", width, 1.6)):
            full = f"{at}ffn.experts.mlp.{name}"
            result[full] = make.stacked(full, (count * width, hidden), inputs, gain)
    result["transformer.norm_f.weight"] = make.norm("transformer.norm_f.weight", hidden)
    result["lm_head.weight"] = make.linear("lm_head.weight", CONFIG["vocab_size"], hidden, 2.0)
    return result


def load(folder: Path) -> ModelParts:
    """Loads with transformers; the router gives logits alone.

    transformers wants 1.0 where the hub's files say 1, and overlooks the theta in `attn_config`.
    """
    theta = CONFIG["attn_config"]["rope_theta"]
    config = CONFIG | {
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "ffn_config": CONFIG["ffn_config"] | {"moe_normalize_expert_weights": 1.0, "moe_jitter_eps": 0.0}
    }
    model = load_rewritten(config, read_tensors(folder))
    rule = softmax_then_top(CONFIG["ffn_config"]["moe_top_k"], renormalise=True)

    def probe(block: nn.Module) -> FusedProbe:
        return FlatProbe(block.ffn, block.ffn.router, block.ffn.experts, rule, logits_of=lambda output: output)

    blocks = list(model.transformer.blocks)
    return ModelParts(
        model=model,
        layers=blocks,
        final_norm=model.transformer.norm_f,
        feed_forward=[block.ffn for block in blocks],
        probes={index: probe(block) for index, block in enumerate(blocks)},
        logits=plain_logits(model),
    )


class FlatProbe(FusedProbe):
    """The experts module is given and returns [1, T, H]."""

    def expert_outputs(self) -> torch.Tensor:
        self.expert_input = self.expert_input.reshape(-1, self.expert_input.shape[-1])
        return super().expert_outputs().reshape(self.expert_input.shape[0], -1, self.expert_input.shape[-1])


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The DBRX fixture."""
    return [
        Fixture(
            name="dbrx",
            script="families/dbrx.py",
            about="DBRX, fused and clipped q/k/v, 6 experts top-3 divided by their sum, w2 used untransposed",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=CONFIG["vocab_size"],
        )
    ]
