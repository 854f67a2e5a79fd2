# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C4: loss without an expert, in one layer or in all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from experiments.source import Array
from routing.loss import summary
from routing.run import Change, Model, Run


def without(expert: int, only: int | None) -> Change:
    """A change that sets the expert's logit to minus infinity, in layer `only` or in all."""

    def change(layer: int, logits: Tensor) -> Tensor:
        if only is not None and layer != only:
            return logits
        changed = logits.clone()
        changed[:, expert] = float("-inf")
        return changed

    return change


def values(run: Run, model: Model, layers: Sequence[int] = ()) -> dict[str, Array]:
    """intact [4]; layer [layers, E, 4] (every mixture layer unless named) and all [E, 4]: mean loss, perplexity,
    accuracy, changed predictions; all_predicted [E, T] and layer_predicted [E, T], of the last of the layers: ids
    predicted to follow."""
    intact = model.logits()
    layers = layers or sorted(run.chosen)

    def table(only: int | None) -> Array:
        return np.array([summary(run, model.logits(without(e, only)), intact) for e in range(run.experts)])

    def predicted(only: int | None) -> Array:
        return np.array([model.logits(without(e, only)).argmax(-1) for e in range(run.experts)]).astype(np.int32)

    return {
        "intact": summary(run, intact, intact),
        "layer": np.stack([table(layer) for layer in layers]),
        "all": table(None),
        "all_predicted": predicted(None),
        "layer_predicted": predicted(layers[-1]),
    }
