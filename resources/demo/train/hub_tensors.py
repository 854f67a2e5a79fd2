# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the training module's stacked tensors and the hub's published names, one tensor per expert and role."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from decoder import Shape

DENSE_ROLES = ("gate_proj", "up_proj", "down_proj")
# Stacked name -> name of one expert's tensor.
EXPERT_ROLES = {
    "mixtral": {"gate": "w1", "up": "w3", "down": "w2"},
    "deepseek": {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"},
}
BLOCK = {"mixtral": "block_sparse_moe", "deepseek": "mlp"}
OUTER = {"embedding.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight"}


def _layer_tensors(shape: Shape, layer: int, state: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    source, target = f"layers.{layer}.", f"model.layers.{layer}."
    for name in ("input_layernorm", "post_attention_layernorm"):
        yield f"{target}{name}.weight", state[f"{source}{name}.weight"]
    for role in ("q_proj", "k_proj", "v_proj", "o_proj"):
        yield f"{target}self_attn.{role}.weight", state[f"{source}attention.{role}.weight"]
    source += "feed_forward."
    if not shape.is_routed(layer):
        for role in DENSE_ROLES:
            yield f"{target}mlp.{role}.weight", state[f"{source}{role}.weight"]
        return
    target += BLOCK[shape.family]
    yield f"{target}.gate.weight", state[f"{source}router.weight"]
    for stacked, role in EXPERT_ROLES[shape.family].items():
        for expert, weight in enumerate(state[source + stacked]):
            yield f"{target}.experts.{expert}.{role}.weight", weight
    if shape.shared_width:
        for role in DENSE_ROLES:
            yield f"{target}.shared_experts.{role}.weight", state[f"{source}shared.{role}.weight"]


def to_hub(shape: Shape, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published layout in bfloat16; the head is tied and so not stored."""
    tensors = {hub: state[name] for name, hub in OUTER.items()}
    for layer in range(shape.layers):
        tensors.update(_layer_tensors(shape, layer, state))
    return {name: tensor.to(torch.bfloat16).contiguous().clone() for name, tensor in tensors.items()}


def rounded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The training state as the shipped files hold it: every value rounded to bfloat16, in float32."""
    return {name: tensor.to(torch.bfloat16).float() for name, tensor in state.items()}


def from_hub(shape: Shape, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of to_hub, in float32: experts stacked again."""
    state = {name: tensors[hub].float() for name, hub in OUTER.items()}
    for layer in range(shape.layers):
        source, target = f"model.layers.{layer}.", f"layers.{layer}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            state[f"{target}{name}.weight"] = tensors[f"{source}{name}.weight"].float()
        for role in ("q_proj", "k_proj", "v_proj", "o_proj"):
            state[f"{target}attention.{role}.weight"] = tensors[f"{source}self_attn.{role}.weight"].float()
        target += "feed_forward."
        if not shape.is_routed(layer):
            for role in DENSE_ROLES:
                state[f"{target}{role}.weight"] = tensors[f"{source}mlp.{role}.weight"].float()
            continue
        source += BLOCK[shape.family]
        state[f"{target}router.weight"] = tensors[f"{source}.gate.weight"].float()
        for stacked, role in EXPERT_ROLES[shape.family].items():
            experts = [tensors[f"{source}.experts.{expert}.{role}.weight"] for expert in range(shape.experts)]
            state[target + stacked] = torch.stack(experts).float()
        for role in DENSE_ROLES if shape.shared_width else ():
            state[f"{target}shared.{role}.weight"] = tensors[f"{source}.shared_experts.{role}.weight"].float()
    return state


def folder_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, from one file or from shards."""
    tensors: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update(load_file(file))
    return tensors
