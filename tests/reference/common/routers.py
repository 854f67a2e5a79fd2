# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Router rules written as plainly as their formulas; the runner compares them with the models' code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from common.fixture import Routing, ordered_choice

Rule = Callable[[Tensor], Routing]


def softmax_then_top(k: int, renormalise: bool, scale: float = 1.0, addend: float = 0.0) -> Rule:
    """Softmax over all experts, the k best, optionally divided by their sum (+ addend)."""

    def rule(logits: Tensor) -> Routing:
        scores = torch.softmax(logits.float(), dim=-1)
        chosen = ordered_choice(scores, k)
        weights = torch.gather(scores, 1, chosen)
        if renormalise:
            weights = weights / (weights.sum(-1, keepdim=True) + addend)
        return Routing(logits, scores, scores, chosen, weights * scale)

    return rule


def top_then_softmax(k: int) -> Rule:
    """The k best logits, softmax over these alone. Scores are the softmax over all experts."""

    def rule(logits: Tensor) -> Routing:
        scores = torch.softmax(logits.float(), dim=-1)
        chosen = ordered_choice(logits, k)
        weights = torch.softmax(torch.gather(logits, 1, chosen).float(), dim=-1)
        return Routing(logits, scores, logits, chosen, weights)

    return rule


@dataclass(frozen=True)
class Groups:
    """Group-limited choice: of `count` equal groups the `kept` best may be chosen from."""

    count: int
    kept: int
    best: int  # how many of a group's scores are summed for the group's own score

    def limited(self, selection: Tensor, excluded: float) -> Tensor:
        """The selection scores with those of the other groups replaced."""
        grouped = selection.view(selection.shape[0], self.count, -1)
        score = grouped.topk(self.best, dim=-1).values.sum(-1)
        kept = torch.zeros_like(score, dtype=torch.bool).scatter_(1, score.topk(self.kept, dim=-1).indices, True)
        return torch.where(kept[..., None], grouped, torch.full_like(grouped, excluded)).view_as(selection)


@dataclass(frozen=True)
class BiasedRule:
    """Scores by sigmoid or softmax; chosen on score + bias; weights from the scores alone."""

    k: int
    bias: Tensor
    scoring: str = "sigmoid"
    renormalise: bool = True
    addend: float = 1e-20  # added to the sum
    floor: float = 0.0  # the sum is at least this
    scale: float = 1.0
    groups: Groups | None = None
    excluded: float = 0.0  # selection score of an expert of another group

    def __call__(self, logits: Tensor) -> Routing:
        wide = logits.float()
        scores = torch.sigmoid(wide) if self.scoring == "sigmoid" else torch.softmax(wide, dim=-1)
        selection = scores + self.bias.float()
        if self.groups is not None:
            selection = self.groups.limited(selection, self.excluded)
        chosen = ordered_choice(selection, self.k)
        weights = torch.gather(scores, 1, chosen)
        if self.renormalise:
            weights = weights / (weights.sum(-1, keepdim=True) + self.addend).clamp(min=self.floor)
        return Routing(logits, scores, selection, chosen, weights * self.scale)
