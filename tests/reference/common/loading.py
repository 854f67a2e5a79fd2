# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads a written folder with transformers and names the parts that most families share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from common.fixture import ModelParts, MoeProbe


def load_with_transformers(folder: Path, model_class: type | None = None, **options: object) -> nn.Module:
    """The folder as transformers reads it: float32, plain attention, plain expert loop.

    Reading back what was written is the proof that the layout is the hub's: a tensor that is
    missing, left over or of another shape is an error here.
    """
    loader = model_class or AutoModelForCausalLM
    model, report = loader.from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation="eager",
        experts_implementation="eager",
        output_loading_info=True,
        **options,
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report[kind], f"{folder.name}: {kind}: {sorted(report[kind])[:5]}"
    return model.eval()


def plain_logits(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """Logits [T, V] of one document without a cache."""
    return lambda ids: model(input_ids=ids, use_cache=False, return_dict=True).logits[0]


def decoder_parts(
    model: nn.Module,
    probe_of: Callable[[nn.Module], MoeProbe | None],
    decoder: nn.Module | None = None,
    feed_forward: str = "mlp",
) -> ModelParts:
    """Parts of a model of the usual form: decoder.layers, decoder.norm, layer.mlp."""
    body = decoder if decoder is not None else model.model
    probes = {index: probe for index, layer in enumerate(body.layers) if (probe := probe_of(layer)) is not None}
    return ModelParts(
        model=model,
        layers=list(body.layers),
        final_norm=body.norm,
        feed_forward=[getattr(layer, feed_forward) for layer in body.layers],
        probes=probes,
        logits=plain_logits(model),
    )
