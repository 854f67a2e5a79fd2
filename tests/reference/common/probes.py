# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes for the two ways in which models keep their experts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from common.fixture import MoeProbe, Routing
from common.routers import Rule


@dataclass
class Shared:
    """The shared branch of a mixture layer."""

    module: nn.Module
    gate: nn.Module | None = None  # a linear map to one logit whose sigmoid multiplies the output


class FusedProbe(MoeProbe):
    """For transformers' models, where a module `experts(x, ids, weights)` holds all experts.

    Every expert's output is asked of that module itself: one call per expert with weight one.
    """

    def __init__(
        self,
        block: nn.Module,
        router: nn.Module,
        experts: nn.Module,
        rule: Rule,
        shared: Shared | None = None,
        logits_of: Callable[[Any], Tensor] = lambda output: output[0],
    ) -> None:
        super().__init__()
        self.attach_block(block)
        self._experts, self._rule, self._shared = experts, rule, shared
        self._logits = Tensor()
        self._ids, self._weights = Tensor(), Tensor()
        self._recording = True
        self.expert_input = Tensor()

        def record_router(_module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
            self._logits = logits_of(output).detach()

        def record_experts(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if not self._recording:
                return
            values = [*args, *kwargs.values()]
            self.expert_input, self._ids, self._weights = (v.detach().clone() for v in values[:3])

        router.register_forward_hook(record_router)
        experts.register_forward_pre_hook(record_experts, with_kwargs=True)

    def routing(self) -> Routing:
        return self._rule(self._logits)

    def own_choice(self) -> tuple[Tensor, Tensor]:
        return self._ids, self._weights

    def expert_outputs(self) -> Tensor:
        count = self._logits.shape[-1]
        x = self.expert_input
        one = torch.ones(x.shape[0], 1)
        self._recording = False
        outputs = [self._experts(x, torch.full((x.shape[0], 1), e), one) for e in range(count)]
        self._recording = True
        return torch.stack(outputs, dim=1)

    def shared_output(self) -> Tensor | None:
        return None if self._shared is None else self._shared.module(self.block_input)

    def shared_gate(self) -> Tensor | None:
        if self._shared is None or self._shared.gate is None:
            return None
        return torch.sigmoid(self._shared.gate(self.block_input))


class ListProbe(MoeProbe):
    """For models that keep a list of expert modules beside a router matrix."""

    def __init__(
        self,
        block: nn.Module,
        router_weight: Tensor,
        experts: Sequence[nn.Module],
        rule: Rule,
        shared: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.attach_block(block)
        self._router_weight, self._experts = router_weight, experts
        self._rule, self._shared = rule, shared

    def routing(self) -> Routing:
        return self._rule(nn.functional.linear(self.block_input, self._router_weight.detach()))

    def expert_outputs(self) -> Tensor:
        return torch.stack([expert(self.block_input) for expert in self._experts], dim=1)

    def shared_output(self) -> Tensor | None:
        return None if self._shared is None else self._shared(self.block_input)


class WatchedListProbe(ListProbe):
    """A ListProbe whose router module returns ids and weights, which are kept for comparison."""

    def watch(self, router: nn.Module) -> WatchedListProbe:
        """Keeps the first two outputs of the router as the model's own choice."""

        def record(_module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
            self._own = (output[0].detach(), output[1].detach())

        router.register_forward_hook(record)
        return self

    def own_choice(self) -> tuple[Tensor, Tensor]:
        return self._own
