# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores what the page of published values says of the Mixtral and DeepSeekMoE fixtures, from their golden arrays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from common.checkpoint import save_numpy
from common.versions import versions

ROLES = ("gate", "up", "down")
#: Fixture: its layers with a router and in all, and the last layer of the paper's model of its family.
FIXTURES = {"mixtral": ((0, 1, 2), 3, 31), "deepseek": ((1, 2), 3, 27)}
#: Layers of the paper's models that it sets against the others.
DEEP_WEIGHTS = {"mixtral": range(22, 31)}
DEEP_OUTPUTS = {"deepseek": range(27, 28)}
#: Tokens of the fixture that the page takes of those whose maps are kept, and the norm ranks it looks at.
TOKENS, TOP = 16, 5


class Fixture:
    """Golden arrays of a fixture."""

    def __init__(self, data: Path, name: str) -> None:
        self.name = name
        self.layers, self.all_layers, self.papers_last = FIXTURES[name]
        self.arrays = load_file(data / "experiments" / f"{name}.safetensors")
        self.experts = len(self.arrays[f"rank_counts.counts.{self.layers[0]}"])
        self.below = np.tril_indices(self.experts, -1)

    def pairs(self, key: str) -> np.ndarray:
        """Entries below the diagonal, of experts only."""
        return self.arrays[key].astype(np.float64)[..., self.below[0], self.below[1]]

    def with_baseline(self, key: str) -> np.ndarray:
        """Similarities of the experts with F, which is the column after them."""
        return self.arrays[key].astype(np.float64)[: self.experts, self.experts]

    def mean(self, pattern: str, roles: tuple[str, ...] = ROLES) -> float:
        """Mean over layers and roles of the means over pairs."""
        return float(np.mean([self.pairs(pattern.format(i, role)).mean() for i in self.layers for role in roles]))

    def depth(self, per_layer: np.ndarray, papers: range) -> float:
        """Mean over the layers of the same relative depth as the paper's, less that over the others."""
        alike = {round(layer * (self.all_layers - 1) / self.papers_last) for layer in papers}
        inside = np.array([layer in alike for layer in self.layers])
        return float(per_layer[inside].mean() - per_layer[~inside].mean())


def growth(of: Fixture) -> float:
    """Median over pairs, roles and layers of the growth by matching, relative to what was there, as a power of ten."""
    relative = []
    for layer in of.layers:
        for role in ROLES:
            before = of.pairs(f"weight_similarity.{layer}.{role}")
            after = of.pairs(f"matched_similarity.similarity.{layer}.{role}")
            relative.extend((after - before) / np.abs(before))
    return float(np.log10(np.median(relative)))


def ranks(of: Fixture) -> dict[str, float]:
    """What the sum of the rank counts over layers says; rows are score ranks, columns norm ranks."""
    counts = of.arrays["rank_counts.counts.all"].astype(np.float64)
    modal = counts.argmax(axis=0)
    return {
        "rank_agreement": float(np.sum(modal == np.arange(of.experts))),
        "top_ranks": float(np.sum(modal[-TOP:] >= of.experts - TOP)),
    }


def both(of: Fixture) -> dict[str, float]:
    """Values that are taken of either fixture."""
    outputs = np.array([of.pairs(f"output_similarity.angular.{i}").mean() for i in of.layers])
    regressions = of.arrays
    values = {
        "weight_similarity": of.mean("weight_similarity.{}.{}"),
        "matched_order": of.mean("matched_similarity.kendall_tau.{}.{}"),
        "matched_growth": growth(of),
        "router_similarity": float(np.mean([of.pairs(f"router_similarity.router.{i}").mean() for i in of.layers])),
        "output_cosine": float(np.mean([of.pairs(f"output_similarity.cosine.{i}")[:TOKENS].mean() for i in of.layers])),
        "active_share": 100.0
        * float(np.mean([of.arrays[f"intermediate_states.active_share.{i}"][: of.experts].mean() for i in of.layers])),
        "neuron_largest.gate": max(float(of.pairs(f"mean_neuron_similarity.{i}.gate").max()) for i in of.layers),
        **ranks(of),
    }
    related = []
    for role in ROLES:
        squares = [regressions[f"router_similarity.regression.{i}.{role}"][3] for i in of.layers]
        values[f"router_fit.{role}"] = float(np.mean(squares))
        values[f"neuron_similarity.{role}"] = of.mean("mean_neuron_similarity.{}.{}", (role,))
        for i in of.layers:
            pair = of.pairs(f"mean_neuron_similarity.{i}.{role}"), of.pairs(f"output_similarity.angular.{i}")
            related.append(np.corrcoef(*pair)[0, 1])
    values["weights_tell_outputs"] = float(np.mean(related))
    if of.name in DEEP_OUTPUTS:
        values["output_depth"] = of.depth(outputs, DEEP_OUTPUTS[of.name])
    return values


def mixtral_only(of: Fixture) -> dict[str, float]:
    """Values of the fixture that has a baseline F."""
    maps = [(i, role) for i in of.layers for role in ROLES]
    weights = np.array([[of.pairs(f"weight_similarity.{i}.{role}").mean() for role in ROLES] for i in of.layers])
    gate = [
        of.pairs(f"mean_neuron_similarity.{i}.gate").mean()
        > of.with_baseline(f"mean_neuron_similarity.{i}.gate").mean()
        for i in of.layers
    ]
    outputs = [
        of.pairs(f"output_similarity.angular.{i}").mean() - of.with_baseline(f"output_similarity.angular.{i}").mean()
        for i in of.layers
    ]
    return {
        "weight_baseline": float(
            np.mean([of.with_baseline(f"weight_similarity.{i}.{role}").mean() for i, role in maps])
        ),
        "weight_depth": of.depth(weights.mean(axis=1), DEEP_WEIGHTS["mixtral"]),
        "neuron_baseline.gate": float(np.mean(gate)),
        "output_baseline": float(np.mean(outputs)),
    }


def make_reproduction(data: Path) -> None:
    """Writes data/experiments/reproduction.safetensors."""
    tensors = {}
    for name in FIXTURES:
        fixture = Fixture(data, name)
        values = both(fixture) | (mixtral_only(fixture) if name == "mixtral" else {})
        tensors |= {f"{name}.{key}": np.array([value]) for key, value in values.items()}
    about = {"script": "tests/reference/make_reproduction.py", "versions": versions(("numpy", "safetensors"))}
    save_numpy(
        data / "experiments" / "reproduction.safetensors", tensors, {"reference": json.dumps(about, sort_keys=True)}
    )
    print(f"reproduction: {len(tensors)} values", flush=True)
