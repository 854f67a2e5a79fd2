# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a family module hands to the runner, and the probe it reads a mixture layer with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

#: Lengths of the three documents that every fixture is run on.
DOCUMENT_LENGTHS = (19, 1, 10)


@dataclass
class Routing:
    """What a router decided for T tokens; ids by falling selection score, ties to the lower id."""

    logits: Tensor  # [T, E] the linear map's output
    scores: Tensor  # [T, E] after softmax or sigmoid over all experts
    selection: Tensor  # [T, E] what the choice is made on
    chosen: Tensor  # [T, k]
    weights: Tensor  # [T, k] what multiplies the experts' outputs


def ordered_choice(selection: Tensor, k: int) -> Tensor:
    """The k best per row, by falling score, ties to the lower index."""
    return torch.sort(selection, dim=-1, descending=True, stable=True).indices[:, :k]


class MoeProbe(ABC):
    """Reads one mixture layer of a running model.

    A probe hooks the layer's modules, and after the pass states the routing as the plain formula
    gives it, the outputs of every expert, and what the model's own code chose, for comparison.
    """

    def __init__(self) -> None:
        self.block_input = Tensor()
        self.block_output = Tensor()

    def attach_block(self, block: nn.Module) -> None:
        """Records input and output of the module that holds router and experts, as [T, H]."""

        def record(_module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            self.block_input = inputs[0].detach().reshape(-1, inputs[0].shape[-1])
            self.block_output = first.detach().reshape(-1, first.shape[-1])

        block.register_forward_hook(record)

    @abstractmethod
    def routing(self) -> Routing:
        """The routing of the last pass."""

    @abstractmethod
    def expert_outputs(self) -> Tensor:
        """Every routed expert on the last input, unweighted: [T, E, H]."""

    def shared_output(self) -> Tensor | None:
        """Output of the shared experts on the last input before any gate: [T, H]."""
        return None

    def shared_gate(self) -> Tensor | None:
        """What multiplies the shared output: [T, 1]; None where nothing does."""
        return None

    def branch_output(self) -> Tensor:
        """What the feed-forward branch returns, where no module of its own does: [T, H]."""
        return self.block_output

    def extras(self) -> dict[str, Tensor]:
        """More to store, by name: [T, ...]."""
        return {}

    def own_choice(self) -> tuple[Tensor, Tensor] | None:
        """Ids and weights as the model's own code made them, where a module shows them."""
        return None

    def combined(self, routing: Routing, outputs: Tensor) -> Tensor:
        """The layer's output rebuilt from its parts."""
        ids = routing.chosen[..., None].expand(-1, -1, outputs.shape[-1])
        total = (torch.gather(outputs, 1, ids) * routing.weights[..., None]).sum(1)
        shared, gate = self.shared_output(), self.shared_gate()
        if shared is not None:
            total = total + (shared if gate is None else shared * gate)
        return total


@dataclass
class ModelParts:
    """Where a loaded model keeps what the runner hooks."""

    model: nn.Module
    layers: list[nn.Module]
    final_norm: nn.Module
    feed_forward: list[nn.Module | None]  # per layer, its output joins the residual stream; None: the probe's
    probes: dict[int, MoeProbe]  # per mixture layer
    logits: Callable[[Tensor], Tensor]  # ids [1, T] -> [T, V]


@dataclass
class Fixture:
    """One random checkpoint and how to run it."""

    name: str
    script: str  # path of the generator below tests/reference
    about: str
    config: dict[str, Any]
    tensors: Callable[[int], dict[str, Tensor]]  # seed -> hub layout
    load: Callable[[Path], ModelParts]
    vocabulary: int
    shards: int = 1
    pickled: bool = False
    first_seed: int = 1
    minimum_margin: float = 1e-3  # of selection scores between the k-th and the next
    extra_files: dict[str, str] = field(default_factory=dict)
    whole: bool = False  # store all that is known (common/runner.py, `lean`); the experiments read it
