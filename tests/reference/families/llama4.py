# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Llama-4: the text model inside a folder that also holds a vision tower.

RoPE layers are interleaved, chunked and normalised after rotation; the others have no position and a
temperature. The router's sigmoid multiplies the expert's input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Llama4ForCausalLM

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts, MoeProbe, Routing, ordered_choice
from common.loading import decoder_parts, load_rewritten, without_prefixes
from common.remote import RemoteCode
from common.weights import WeightMaker
from families.standard import Tensors, base_config

TEXT: dict[str, Any] = base_config(
    attention_chunk_size=6,
    attn_scale=0.4,
    attn_temperature_tuning=True,
    floor_scale=4,
    head_dim=8,
    interleave_moe_layer_step=2,
    intermediate_size=9,
    intermediate_size_mlp=21,
    max_position_embeddings=256,
    model_type="llama4_text",
    moe_layers=[1, 3],
    no_rope_layers=[1, 0, 1, 1],
    num_experts_per_tok=1,
    num_hidden_layers=4,
    num_local_experts=5,
    rms_norm_eps=1e-05,
    rope_scaling={
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 64,
        "rope_type": "llama3",
    },
    rope_theta=500.0,
    use_qk_norm=True,
)
CONFIG: dict[str, Any] = {
    "architectures": ["Llama4ForConditionalGeneration"],
    "image_token_index": 96,
    "model_type": "llama4",
    "text_config": TEXT,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vision_config": {"hidden_size": 4, "model_type": "llama4_vision_model"},
}
PREFIX = "language_model."


def tensors(seed: int) -> Tensors:
    """language_model.*; experts fused and transposed; one tensor of a vision tower."""
    make = WeightMaker(seed, torch.bfloat16)
    shape = skeleton.Shape.of(TEXT)
    count, width, hidden = TEXT["num_local_experts"], TEXT["intermediate_size"], shape.hidden

    def feed_forward(layer: int, at: str) -> Tensors:
        block = f"{at}feed_forward."
        if layer not in TEXT["moe_layers"]:
            return skeleton.gated_mlp(make, block, hidden, TEXT["intermediate_size_mlp"])
        into, out = f"{block}experts.gate_up_proj", f"{block}experts.down_proj"
        return (
            skeleton.router(make, f"{block}router.weight", count, hidden)
            | {into: make.stacked(into, (count, hidden, 2 * width), hidden, 1.4)}
            | {out: make.stacked(out, (count, width, hidden), width, 2.0)}
            | skeleton.gated_mlp(make, f"{block}shared_expert.", hidden, width)
        )

    text = skeleton.decoder(make, shape, feed_forward)
    return {f"{PREFIX}{name}": value for name, value in text.items()} | {
        "vision_model.class_embedding": make.normal("vision_model.class_embedding", (4,))
    }


class ScaledInputProbe(MoeProbe):
    """One expert per token; the score multiplies its input, not its output."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.attach_block(block)
        self._block = block

    def routing(self) -> Routing:
        logits = nn.functional.linear(self.block_input, self._block.router.weight)
        chosen = ordered_choice(logits, TEXT["num_experts_per_tok"])
        scores = torch.sigmoid(logits)
        return Routing(logits, scores, logits, chosen, scores.gather(1, chosen))

    def _experts(self, x: Tensor) -> Tensor:
        """Every expert on its own input x [T, E, H]."""
        experts = self._block.experts
        return experts(x.transpose(0, 1).reshape(-1, x.shape[-1])).view(x.shape[1], x.shape[0], -1).transpose(0, 1)

    def expert_outputs(self) -> Tensor:
        count = self._block.router.weight.shape[0]
        return self._experts(self.block_input[:, None].expand(-1, count, -1))

    def shared_output(self) -> Tensor:
        return self._block.shared_expert(self.block_input)

    def extras(self) -> dict[str, Tensor]:
        return {"routed_output": self._routed(self.routing())}

    def _routed(self, routing: Routing) -> Tensor:
        scale = torch.zeros_like(routing.logits).scatter(1, routing.chosen, routing.weights)
        return self._experts(self.block_input[:, None] * scale[..., None]).sum(1)

    def combined(self, routing: Routing, outputs: Tensor) -> Tensor:
        return self._routed(routing) + self.shared_output()


def load(folder: Path) -> ModelParts:
    """The text model by transformers, after taking the prefix off."""
    names = without_prefixes(read_tensors(folder), {PREFIX: ""}, skipped="^vision_model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["text_config"]
    model = load_rewritten(config | {"architectures": ["Llama4ForCausalLM"]}, names, Llama4ForCausalLM)

    def probe(layer: nn.Module) -> MoeProbe | None:
        return ScaledInputProbe(layer.feed_forward) if hasattr(layer.feed_forward, "router") else None

    return decoder_parts(model, probe, feed_forward="feed_forward")


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Llama-4 fixture."""
    return [
        Fixture(
            name="llama4",
            script="families/llama4.py",
            about="Llama-4 text in a multimodal folder: chunks of 6, layer 1 without RoPE, top-1, mixtures 1 and 3",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=TEXT["vocab_size"],
        )
    ]
