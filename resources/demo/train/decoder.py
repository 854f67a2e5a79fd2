# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One small decoder for three architectures: Mistral (dense), Mixtral (routed), DeepSeekMoE (dense first, shared + routed).

Formulas are those of the published models: pre-norm RMSNorm, half-split RoPE, grouped-query attention, SwiGLU feed-forward,
softmax router. Expert weights are kept stacked, [experts, ...], for batched products; `checkpoint_io` writes the hub's names.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from expert_dispatch import gather_rows, slot_plan


@dataclass(frozen=True)
class Shape:
    """Sizes and switches of a model; experts == 0 means dense."""

    family: str
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    dense_width: int
    experts: int = 0
    top_k: int = 0
    expert_width: int = 0
    shared_width: int = 0
    first_dense: int = 0
    renormalise: bool = True
    epsilon: float = 1e-5
    rope_theta: float = 10000.0

    def is_routed(self, layer: int) -> bool:
        """True where the layer has a router."""
        return self.experts > 0 and layer >= self.first_dense


@dataclass
class RouterRecord:
    """What one layer's router did: scores [tokens, experts] after softmax, chosen [tokens, k] by falling score."""

    scores: Tensor
    chosen: Tensor


class RmsNorm(nn.Module):
    """x / rms(x) * weight over the last axis."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, states: Tensor) -> Tensor:
        return functional.rms_norm(states, self.weight.shape, self.weight, self.epsilon)


def rope_tables(length: int, head_dim: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos and sin, each [length, head_dim], the second half repeating the first."""
    inverse = theta ** (-torch.arange(0, head_dim, 2, device=device).float() / head_dim)
    angles = torch.outer(torch.arange(length, device=device).float(), inverse)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Half-split rotation of [..., length, head_dim]."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Causal grouped-query attention without biases."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.hidden, shape.heads * shape.head_dim, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head_dim, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head_dim, bias=False)
        self.o_proj = nn.Linear(shape.heads * shape.head_dim, shape.hidden, bias=False)

    def forward(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, _ = states.shape
        shape = self.shape
        query = self.q_proj(states).view(batch, length, shape.heads, shape.head_dim).transpose(1, 2)
        key = self.k_proj(states).view(batch, length, shape.kv_heads, shape.head_dim).transpose(1, 2)
        value = self.v_proj(states).view(batch, length, shape.kv_heads, shape.head_dim).transpose(1, 2)
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        if shape.kv_heads < shape.heads:
            repeats = shape.heads // shape.kv_heads
            key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
        with torch.autocast(states.device.type, enabled=False):  # the CPU's bfloat16 kernel is three times slower backward
            mixed = functional.scaled_dot_product_attention(query.float(), key.float(), value.float(), is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    """down(silu(gate x) * up x)."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden, width, bias=False)
        self.up_proj = nn.Linear(hidden, width, bias=False)
        self.down_proj = nn.Linear(width, hidden, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(states)) * self.up_proj(states))


class RoutedFeedForward(nn.Module):
    """Softmax over all experts, the k best, weights renormalised or not, plus an ungated shared MLP where there is one."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.router = nn.Linear(shape.hidden, shape.experts, bias=False)
        self.gate = nn.Parameter(torch.empty(shape.experts, shape.expert_width, shape.hidden))
        self.up = nn.Parameter(torch.empty(shape.experts, shape.expert_width, shape.hidden))
        self.down = nn.Parameter(torch.empty(shape.experts, shape.hidden, shape.expert_width))
        self.shared = FeedForward(shape.hidden, shape.shared_width) if shape.shared_width else None
        self.removed: int | None = None

    def forward(self, states: Tensor) -> tuple[Tensor, RouterRecord]:
        flat = states.reshape(-1, states.shape[-1])
        if torch.is_autocast_enabled(flat.device.type):
            flat = flat.to(torch.get_autocast_dtype(flat.device.type))
        logits = self.router(flat).float()
        if self.removed is not None:
            logits = logits.index_fill(-1, torch.tensor([self.removed], device=logits.device), float("-inf"))
        scores = logits.softmax(dim=-1)
        weights, chosen = scores.topk(self.shape.top_k, dim=-1)
        if self.shape.renormalise:
            weights = weights / weights.sum(dim=-1, keepdim=True)
        plan = slot_plan(chosen, self.shape.experts)
        inputs = gather_rows(flat, plan.token_of_slot, plan.slot_of_choice).view(self.shape.experts, plan.capacity, -1)
        inner = functional.silu(inputs @ self.gate.transpose(1, 2)) * (inputs @ self.up.transpose(1, 2))
        outputs = (inner @ self.down.transpose(1, 2)).reshape(-1, states.shape[-1])
        picked = gather_rows(outputs, plan.slot_of_choice, plan.choice_of_slot).view(*chosen.shape, -1)
        weighted = picked * weights.unsqueeze(-1).to(picked.dtype)
        mixed = sum(weighted.unbind(dim=1))
        if self.shared is not None:
            mixed = mixed + self.shared(flat)
        return mixed.view_as(states), RouterRecord(scores, chosen)


class Layer(nn.Module):
    """One pre-norm block."""

    def __init__(self, shape: Shape, index: int) -> None:
        super().__init__()
        self.input_layernorm = RmsNorm(shape.hidden, shape.epsilon)
        self.attention = Attention(shape)
        self.post_attention_layernorm = RmsNorm(shape.hidden, shape.epsilon)
        routed = shape.is_routed(index)
        self.feed_forward = RoutedFeedForward(shape) if routed else FeedForward(shape.hidden, shape.dense_width)

    def forward(self, states: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, RouterRecord | None]:
        states = states + self.attention(self.input_layernorm(states), cos, sin)
        update = self.feed_forward(self.post_attention_layernorm(states))
        if isinstance(update, tuple):
            return states + update[0], update[1]
        return states + update, None


class Decoder(nn.Module):
    """Token ids [batch, length] to hidden states [batch, length, hidden]; embedding and head are tied."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape, index) for index in range(shape.layers))
        self.norm = RmsNorm(shape.hidden, shape.epsilon)
        self._initialise(seed)

    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            deviation = 0.02 if "embedding" in name else parameter.shape[-1] ** -0.5
            if name.endswith(("o_proj.weight", "down_proj.weight", ".down")):
                deviation /= (2 * self.shape.layers) ** 0.5
            nn.init.normal_(parameter, 0.0, deviation, generator=generator)

    def forward(self, ids: Tensor) -> tuple[Tensor, list[RouterRecord]]:
        cos, sin = rope_tables(ids.shape[1], self.shape.head_dim, self.shape.rope_theta, ids.device)
        states, records = self.embedding(ids), []
        for layer in self.layers:
            states, record = layer(states, cos, sin)
            if record is not None:
                records.append(record)
        return self.norm(states), records

    def logits(self, states: Tensor) -> Tensor:
        """Head of the normalised states."""
        return functional.linear(states, self.embedding.weight)
