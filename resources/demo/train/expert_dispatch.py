# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends token rows to expert slots and back with gathers alone, forward and backward (scattering is slow on a CPU)."""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class SlotPlan:
    """Slots are [experts * capacity]. Index one past the end of a table means "none" (a zero row)."""

    capacity: int
    token_of_slot: Tensor
    choice_of_slot: Tensor
    slot_of_choice: Tensor


def slot_plan(chosen: Tensor, experts: int) -> SlotPlan:
    """chosen [tokens, k] -> the slot of every choice; capacity is the fullest expert's load, so nothing is dropped."""
    tokens, k = chosen.shape
    flat = chosen.reshape(-1)
    order = torch.argsort(flat, stable=True)
    counts = torch.bincount(flat, minlength=experts)
    capacity = int(counts.max())
    begin = torch.cumsum(counts, 0) - counts
    sorted_experts = flat[order]
    slot = sorted_experts * capacity + torch.arange(tokens * k, device=flat.device) - begin[sorted_experts]
    slot_of_choice = torch.empty_like(flat)
    slot_of_choice[order] = slot
    choice_of_slot = torch.full((experts * capacity,), tokens * k, dtype=torch.long, device=flat.device)
    choice_of_slot[slot] = order
    token_of_slot = torch.div(choice_of_slot, k, rounding_mode="floor")
    return SlotPlan(capacity, token_of_slot, choice_of_slot, slot_of_choice.view(tokens, k))


def _padded(rows: Tensor) -> Tensor:
    return torch.cat((rows, rows.new_zeros(1, rows.shape[-1])))


class _Gather(torch.autograd.Function):
    """rows[index] with the gradient as gathers over `users` ([rows] or [rows, k]: which outputs used a row)."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, rows: Tensor, index: Tensor, users: Tensor) -> Tensor:
        ctx.save_for_backward(users)
        return _padded(rows).index_select(0, index.reshape(-1))

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (users,) = ctx.saved_tensors
        padded = _padded(gradient)
        parts = [padded.index_select(0, column) for column in users.reshape(len(users), -1).unbind(dim=1)]
        return functools.reduce(torch.Tensor.add_, parts), None, None


def gather_rows(rows: Tensor, index: Tensor, users: Tensor) -> Tensor:
    """rows[index.flat]; index == len(rows) gives zeros."""
    return _Gather.apply(rows, index, users)
