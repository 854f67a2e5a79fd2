# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses on held-out rows, router load and the effect of removing an expert."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

import packing
from decoder import Decoder, RoutedFeedForward
from domains import DOMAINS

Rows = tuple[Tensor, Tensor]


def held_out_rows(
    tokenizer: str, length: int, rows_per_domain: int | None = None, split: str = "validation"
) -> dict[str, Rows]:
    """Per domain (ids, targets), each [n, length]."""
    bos = packing.ENCODERS[tokenizer]().bos
    tables = {}
    for domain in DOMAINS:
        targets = packing.blocks(packing.stream(tokenizer, domain, split), length)[:rows_per_domain].astype(np.int64)
        tables[domain] = (torch.from_numpy(packing.inputs_of(targets, bos)), torch.from_numpy(targets))
    return tables


def joined(rows: dict[str, Rows]) -> Rows:
    """The rows of all domains behind one another."""
    return torch.cat([ids for ids, _ in rows.values()]), torch.cat([targets for _, targets in rows.values()])


def _parts(rows: Rows, batch: int) -> Iterator[Rows]:
    return zip(rows[0].split(batch), rows[1].split(batch))


@torch.no_grad()
def token_losses(model: Decoder, rows: Rows, batch: int = 16) -> Tensor:
    """Negative log-likelihood of every predicted token, [n, length], in nats."""
    device = model.embedding.weight.device
    pieces = []
    for ids, targets in _parts(rows, batch):
        logits = model.logits(model(ids.to(device))[0]).float()
        pieces.append(functional.cross_entropy(logits.transpose(1, 2), targets.to(device), reduction="none").cpu())
    return torch.cat(pieces)


def domain_losses(model: Decoder, rows: dict[str, Rows]) -> dict[str, float]:
    """Mean loss per domain."""
    return {domain: token_losses(model, table).mean().item() for domain, table in rows.items()}


def routed_layers(model: Decoder) -> list[tuple[int, RoutedFeedForward]]:
    """(layer number, module) of the layers with a router."""
    return [
        (i, layer.feed_forward) for i, layer in enumerate(model.layers) if isinstance(layer.feed_forward, RoutedFeedForward)
    ]


@torch.no_grad()
def expert_loads(model: Decoder, rows: Rows, batch: int = 16) -> Tensor:
    """Assignments per expert, [routed layers, experts]."""
    total: Tensor | None = None
    for ids, _ in _parts(rows, batch):
        _, records = model(ids.to(model.embedding.weight.device))
        counts = torch.stack([torch.bincount(r.chosen.reshape(-1), minlength=r.scores.shape[-1]) for r in records]).cpu()
        total = counts if total is None else total + counts
    assert total is not None
    return total


def load_entropies(loads: Tensor) -> Tensor:
    """Entropy of the load over experts, divided by log E, per layer."""
    share = loads.double() / loads.sum(dim=1, keepdim=True)
    return -(share * share.clamp_min(1e-30).log()).sum(dim=1) / np.log(loads.shape[1])
