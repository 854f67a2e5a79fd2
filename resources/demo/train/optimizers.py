# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Muon for weight matrices (momentum whose matrices are orthogonalised by a Newton-Schulz iteration), AdamW for the rest."""

import torch
from torch import Tensor

from decoder import Decoder

# Quintic iteration with the coefficients of K. Jordan's Muon: singular values end between about 0.7 and 1.2.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonalise(matrices: Tensor) -> Tensor:
    """Nearest semi-orthogonal matrices, roughly, of [..., rows, columns]."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    current = matrices.transpose(-2, -1) if tall else matrices
    current = current / (current.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    first, second, third = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = current @ current.transpose(-2, -1)
        current = first * current + (second * gram + third * (gram @ gram)) @ current
    return current.transpose(-2, -1) if tall else current


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; parameters of one shape are stacked so that one batched product serves all."""

    def __init__(self, parameters: list[Tensor], lr: float, momentum: float = 0.95, decay: float = 0.01) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update from the gradients held."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                by_shape.setdefault(parameter.shape[-2:], []).append(parameter)
            for parameters in by_shape.values():
                self._update(parameters, group)

    def _update(self, parameters: list[Tensor], group: dict) -> None:
        pending = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            direction = parameter.grad.lerp(state["momentum"], group["momentum"])
            pending.append(direction.reshape(-1, *parameter.shape[-2:]))
        rows, columns = parameters[0].shape[-2:]
        updates = orthogonalise(torch.cat(pending)) * max(1.0, rows / columns) ** 0.5
        for parameter, update in zip(parameters, updates.split([len(p) for p in pending])):
            parameter.mul_(1 - group["lr"] * group["decay"])
            parameter.add_(update.view_as(parameter), alpha=-group["lr"])


def build(model: Decoder, matrix_rate: float, vector_rate: float) -> list[torch.optim.Optimizer]:
    """Matrices of attention and experts to Muon; embedding, routers and norms to AdamW."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        plain = parameter.dim() >= 2 and "embedding" not in name and "router" not in name
        (matrices if plain else others).append(parameter)
    return [
        Muon(matrices, lr=matrix_rate),
        torch.optim.AdamW(others, lr=vector_rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0),
    ]
