# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads a written folder with transformers and names the parts that most families share."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from common.checkpoint import write_checkpoint
from common.fixture import ModelParts, MoeProbe


def load_with_transformers(
    folder: Path, model_class: type | None = None, ignored: str = r"(?!)", **options: object
) -> nn.Module:
    """The folder as transformers reads it: float32, plain attention, plain expert loop.

    Reading back what was written is the proof that the layout is the hub's: a tensor that is
    missing, left over or of another shape is an error here. `ignored` matches the names of tensors
    that the hub's files hold and this model has no use for.
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
        left = sorted(str(name) for name in report[kind] if not re.search(ignored, str(name)))
        assert not left, f"{folder.name}: {kind}: {left[:5]}"
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
        feed_forward=[getattr(layer, feed_forward, None) for layer in body.layers],
        probes=probes,
        logits=plain_logits(model),
    )


def load_rewritten(
    config: dict[str, Any], tensors: dict[str, Tensor], model_class: type | None = None, **options: Any
) -> nn.Module:
    """Loads tensors under other names than on disk: the text part of a model of several kinds of
    input, or dequantised weights. They pass through a folder of their own, so that everything that
    load_with_transformers checks is checked."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rewritten"
        write_checkpoint(folder, config, tensors)
        return load_with_transformers(folder, model_class, **options)


def without_prefixes(tensors: dict[str, Tensor], prefixes: dict[str, str], skipped: str = r"(?!)") -> dict[str, Tensor]:
    """Tensors renamed by the first prefix that fits; those that match `skipped` are left out."""
    result = {}
    for name, tensor in tensors.items():
        if re.search(skipped, name):
            continue
        old, new = next((pair for pair in prefixes.items() if name.startswith(pair[0])), ("", ""))
        result[new + name[len(old) :]] = tensor
    return result
