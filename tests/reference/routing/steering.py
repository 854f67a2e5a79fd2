# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E4: which experts one text uses more than another, and what forcing an expert does."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from common.fixture import ordered_choice
from experiments.source import Array
from routing.loss import summary
from routing.run import Change, Model, Run


def risk_difference(run: Run) -> dict[str, Array]:
    """difference.LAYER [E]: P(expert chosen | token of the first domain) - P(... | token of the second)."""
    domain = run.domain_of_token()
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        uses = np.array([[(row == e).any() for e in range(run.experts)] for row in chosen])
        result[f"difference.{layer}"] = uses[domain == 0].mean(axis=0) - uses[domain == 1].mean(axis=0)
    return result


@dataclasses.dataclass
class Forcing:
    """Mixtral's rule with 1 added to an expert's selection score in one layer; its score, and so its weight, stay."""

    expert: int
    only: int

    def __call__(self, block: nn.Module, layer: int, _change: Change, chosen: int) -> RemovableHandle:
        """Installs it, as `change_mixtral` does."""

        def hook(_module: nn.Module, _inputs: tuple, output: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            scores = torch.softmax(output[0], dim=-1)
            selection = scores.clone()
            if layer == self.only:
                selection[:, self.expert] += 1.0
            best = ordered_choice(selection, chosen)
            weights = scores.gather(1, best)
            return output[0], weights / weights.sum(-1, keepdim=True), best

        return block.gate.register_forward_hook(hook)


def forced(run: Run, model: Model, layer: int) -> Array:
    """[E, 4]: each expert forced in that layer; columns as in C4."""
    intact = model.logits()
    models = (dataclasses.replace(model, changed=Forcing(e, layer)) for e in range(run.experts))
    return np.array([summary(run, changed.logits(), intact) for changed in models])
