# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gemma-4 with mixtures: window and full layers of different heads, a dense branch beside the experts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Gemma4ForCausalLM

from common import skeleton
from common.checkpoint import read_tensors
from common.fixture import Fixture, ModelParts, Routing
from common.loading import decoder_parts, load_rewritten, without_prefixes
from common.probes import FusedProbe
from common.remote import RemoteCode
from common.routers import softmax_then_top
from common.weights import WeightMaker
from families.standard import Tensors, base_config

TEXT: dict[str, Any] = base_config(
    attention_k_eq_v=True,
    enable_moe_block=True,
    final_logit_softcapping=3.0,
    global_head_dim=12,
    head_dim=6,
    hidden_activation="gelu_pytorch_tanh",
    hidden_size=20,
    hidden_size_per_layer_input=0,
    intermediate_size=17,
    layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    model_type="gemma4_text",
    moe_intermediate_size=7,
    num_attention_heads=4,
    num_experts=6,
    num_global_key_value_heads=1,
    num_hidden_layers=4,
    num_key_value_heads=2,
    num_kv_shared_layers=0,
    pad_token_id=0,
    rope_parameters={
        "full_attention": {"partial_rotary_factor": 0.5, "rope_theta": 1000000.0, "rope_type": "proportional"},
        "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
    },
    sliding_window=5,
    tie_word_embeddings=True,
    top_k_experts=2,
)
for key in ("hidden_act", "rope_scaling", "rope_theta"):
    del TEXT[key]
CONFIG: dict[str, Any] = {
    "architectures": ["Gemma4ForConditionalGeneration"],
    "dtype": "bfloat16",
    "model_type": "gemma4",
    "text_config": TEXT,
    "tie_word_embeddings": True,
    "vision_config": {"hidden_size": 4, "model_type": "gemma4_vision"},
}
PREFIX = "model.language_model."
NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
    "post_feedforward_layernorm_1",
    "pre_feedforward_layernorm_2",
    "post_feedforward_layernorm_2",
)


def _attention(make: WeightMaker, layer: int, at: str) -> Tensors:
    full = TEXT["layer_types"][layer] == "full_attention"
    head = TEXT["global_head_dim"] if full else TEXT["head_dim"]
    kv_heads = TEXT["num_global_key_value_heads"] if full else TEXT["num_key_value_heads"]
    shape = skeleton.Shape(0, TEXT["hidden_size"], 0, TEXT["num_attention_heads"], kv_heads, head)
    tensors = skeleton.attention(make, shape, at, norms={"q_norm": head, "k_norm": head})
    if full:
        del tensors[f"{at}v_proj.weight"]  # the value is the key's projection
    return tensors


def _layer(make: WeightMaker, layer: int) -> Tensors:
    at, hidden = f"{PREFIX}layers.{layer}.", TEXT["hidden_size"]
    count, width = TEXT["num_experts"], TEXT["moe_intermediate_size"]
    tensors = {f"{at}{norm}.weight": make.norm(f"{at}{norm}.weight", hidden) for norm in NORMS}
    tensors |= _attention(make, layer, f"{at}self_attn.")
    tensors |= skeleton.gated_mlp(make, f"{at}mlp.", hidden, TEXT["intermediate_size"])
    into, out = f"{at}experts.gate_up_proj", f"{at}experts.down_proj"
    tensors[into] = make.stacked(into, (count, 2 * width, hidden), hidden, 1.4)
    tensors[out] = make.stacked(out, (count, hidden, width), width, 1.6)
    router = f"{at}router."
    # The router divides its input by sqrt(hidden): its rows are that much larger.
    tensors[f"{router}proj.weight"] = make.normal(f"{router}proj.weight", (count, hidden), 2.0)
    tensors[f"{router}scale"] = make.norm(f"{router}scale", hidden)
    tensors[f"{router}per_expert_scale"] = make.norm(f"{router}per_expert_scale", count)
    tensors[f"{at}layer_scalar"] = make.norm(f"{at}layer_scalar", 1)
    return tensors


def tensors(seed: int) -> Tensors:
    """model.language_model.*; no v_proj on full layers; one tensor of a vision tower."""
    make = WeightMaker(seed, torch.bfloat16)
    hidden, embed = TEXT["hidden_size"], f"{PREFIX}embed_tokens.weight"
    result = {embed: make.normal(embed, (TEXT["vocab_size"], hidden), 0.3)}
    for layer in range(TEXT["num_hidden_layers"]):
        result |= _layer(make, layer)
    result[f"{PREFIX}norm.weight"] = make.norm(f"{PREFIX}norm.weight", hidden)
    vision = "model.vision_tower.patch_embedder.input_proj.weight"
    return result | {vision: make.linear(vision, 4, 3)}


class ParallelProbe(FusedProbe):
    """The experts stand beside a dense branch; the router reads the raw residual stream.

    moe_input is what the experts receive (after their own norm), router_input what the router does.
    """

    def __init__(self, layer: nn.Module) -> None:
        plain = softmax_then_top(TEXT["top_k_experts"], renormalise=True)
        scale = layer.router.per_expert_scale

        def rule(logits: Tensor) -> Routing:
            routing = plain(logits)
            routing.weights = routing.weights * scale[routing.chosen]
            return routing

        super().__init__(layer.experts, layer.router.proj, layer.experts, rule, logits_of=lambda output: output)
        layer.router.register_forward_hook(self._keep_router)
        layer.mlp.register_forward_hook(self._keep_dense)

    def _keep_router(self, _module: nn.Module, inputs: tuple[Tensor, ...], _output: object) -> None:
        self._router_input = inputs[0].detach().clone()

    def _keep_dense(self, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self._dense = output.detach().reshape(-1, output.shape[-1]).clone()

    def attach_block(self, block: nn.Module) -> None:
        def record(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if self._recording:
                self.block_input, self.block_output = inputs[0].detach().clone(), output.detach().clone()

        block.register_forward_hook(record)

    def extras(self) -> dict[str, Tensor]:
        return {"router_input": self._router_input, "dense_output": self._dense}


def load(folder: Path) -> ModelParts:
    """The text model by transformers, after taking the prefix off."""
    names = without_prefixes(read_tensors(folder), {PREFIX: "model."}, skipped="vision_tower")
    model = load_rewritten(TEXT | {"architectures": ["Gemma4ForCausalLM"]}, names, Gemma4ForCausalLM)
    return decoder_parts(model, ParallelProbe, feed_forward="post_feedforward_layernorm")


def fixtures(_remote_code: RemoteCode) -> list[Fixture]:
    """The Gemma-4 fixture. ffn_output is what joins the residual stream, after the last norm."""
    return [
        Fixture(
            name="gemma4",
            script="families/gemma4.py",
            about="Gemma-4 text in a multimodal folder: window of 5 and full layers with K=V, dense branch, "
            "layer scalars",
            config=CONFIG,
            tensors=tensors,
            load=load,
            vocabulary=TEXT["vocab_size"],
        )
    ]
