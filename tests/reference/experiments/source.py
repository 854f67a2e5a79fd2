# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights and activations of a fixture as NumPy arrays, by role and absolute layer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from common.checkpoint import read_tensors

Array = np.ndarray
ROLES = ("gate", "up", "down")


@dataclass(frozen=True)
class Names:
    """Where a family keeps its mixture; `{l}` is the layer, `{e}` the expert."""

    router: str
    expert: dict[str, str]
    shared: dict[str, str] = field(default_factory=dict)


def _per_role(pattern: str, names: tuple[str, str, str]) -> dict[str, str]:
    return {role: pattern.replace("ROLE", name) for role, name in zip(ROLES, names, strict=True)}


_GATE_UP_DOWN = ("gate_proj", "up_proj", "down_proj")
MIXTRAL = Names(
    "model.layers.{l}.block_sparse_moe.gate.weight",
    _per_role("model.layers.{l}.block_sparse_moe.experts.{e}.ROLE.weight", ("w1", "w3", "w2")),
)
DEEPSEEK = Names(
    "model.layers.{l}.mlp.gate.weight",
    _per_role("model.layers.{l}.mlp.experts.{e}.ROLE.weight", _GATE_UP_DOWN),
    _per_role("model.layers.{l}.mlp.shared_experts.ROLE.weight", _GATE_UP_DOWN),
)
DENSE = _per_role("model.layers.{l}.mlp.ROLE.weight", _GATE_UP_DOWN)


@dataclass
class Layer:
    """One mixture layer: matrices in float64, gate and up [m, d], down [d, m]."""

    router: Array  # [E, d]
    experts: dict[str, list[Array]]
    shared: dict[str, Array] | None
    baseline: dict[str, Array] | None


@dataclass
class Source:
    """A fixture with, where there is one, its dense baseline run on the same ids."""

    name: str
    config: dict[str, object]
    shapes: dict[str, tuple[int, ...]]
    layers: dict[int, Layer]
    expected: dict[str, Array]
    baseline_expected: dict[str, Array] | None

    @property
    def experts(self) -> int:
        """Routed experts in a layer."""
        return len(next(iter(self.layers.values())).experts["gate"])

    def columns(self, layer: int, role: str) -> list[Array]:
        """The experts' matrices, then F, then S where its shape is equal."""
        here = self.layers[layer]
        matrices = list(here.experts[role])
        if here.baseline is not None:
            matrices.append(here.baseline[role])
        if here.shared is not None and here.shared[role].shape == matrices[0].shape:
            matrices.append(here.shared[role])
        return matrices

    def columns_of_any_width(self, layer: int, role: str) -> list[Array]:
        """The experts' matrices, then F, then S whatever its width."""
        here = self.layers[layer]
        more = [m[role] for m in (here.baseline, here.shared) if m is not None]
        return [*here.experts[role], *more]

    def outputs(self, layer: int) -> Array:
        """Output vectors [T, N, H]: experts, then F on its own hidden states, then S."""
        parts = [self.expected[f"layers.{layer}.expert_outputs"]]
        if self.baseline_expected is not None:
            parts.append(self.baseline_expected["ffn_output"][layer][:, None])
        if f"layers.{layer}.shared_output" in self.expected:
            parts.append(self.expected[f"layers.{layer}.shared_output"][:, None])
        return np.concatenate(parts, axis=1).astype(np.float64)

    def routed(self, layer: int, what: str) -> Array:
        """A stored tensor of a mixture layer."""
        return self.expected[f"layers.{layer}.{what}"]


def _weights(folder: Path) -> dict[str, Array]:
    return {name: tensor.double().numpy() for name, tensor in read_tensors(folder).items()}


def _matrices(weights: dict[str, Array], patterns: dict[str, str], **at: int) -> dict[str, Array]:
    return {role: weights[pattern.format(**at)] for role, pattern in patterns.items()}


def _layer(weights: dict[str, Array], names: Names, index: int, dense: dict[str, Array] | None) -> Layer:
    router = weights[names.router.format(l=index)]
    every = [_matrices(weights, names.expert, l=index, e=e) for e in range(router.shape[0])]
    return Layer(
        router=router,
        experts={role: [expert[role] for expert in every] for role in ROLES},
        shared=_matrices(weights, names.shared, l=index) if names.shared else None,
        baseline=_matrices(dense, DENSE, l=index) if dense is not None else None,
    )


def read_source(models: Path, name: str, names: Names, baseline: str | None = None) -> Source:
    """Reads a fixture folder, and its baseline's."""
    expected = load_file(models / name / "expected.safetensors")
    dense = load_file(models / baseline / "expected.safetensors") if baseline else None
    return source_of(models, name, names, expected, baseline, dense)


def source_of(
    models: Path,
    name: str,
    names: Names,
    expected: dict[str, Array],
    baseline: str | None,
    dense: dict[str, Array] | None,
) -> Source:
    """The weights of a folder, and of its baseline's, with the activations of a pass."""
    weights = _weights(models / name)
    dense_weights = _weights(models / baseline) if baseline else None
    config = json.loads((models / name / "config.json").read_text(encoding="utf-8"))
    indices = [i for i in range(config["num_hidden_layers"]) if names.router.format(l=i) in weights]
    return Source(
        name=name,
        config=config,
        shapes={key: value.shape for key, value in weights.items()},
        layers={i: _layer(weights, names, i, dense_weights) for i in indices},
        expected=expected,
        baseline_expected=dense,
    )
