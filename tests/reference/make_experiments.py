# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores the golden values of the experiments on fixtures that are already made."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np

from common.checkpoint import save_numpy, write_json
from common.versions import versions
from experiments import parameters
from experiments.source import DEEPSEEK, MIXTRAL, Names, Source, read_source

#: Experiments on the stored activations, by their names in the session file.
EXPERIMENTS = (
    "weight_similarity",
    "mean_neuron_similarity",
    "matched_similarity",
    "router_similarity",
    "expert_projection",
    "neuron_projection",
    "output_similarity",
    "rank_counts",
    "intermediate_states",
    "chosen_experts",
    "weight_output_relation",
)
#: Fixture, its names, its baseline.
SOURCES: tuple[tuple[str, Names, str | None], ...] = (
    ("mixtral", MIXTRAL, "mistral-baseline"),
    ("deepseek", DEEPSEEK, None),
    ("deepseek-variant", DEEPSEEK, None),
)
DENSE_FIXTURES = ("mistral-baseline", "mistral-window", "llama")


def _labels(source: Source) -> dict[str, list[str]]:
    experts = [str(e) for e in range(source.experts)]
    layer = next(iter(source.layers.values()))
    baseline = ["F"] if layer.baseline is not None else []
    shared = ["S"] if layer.shared is not None else []
    same_shape = shared if len(source.columns(next(iter(source.layers)), "gate")) > len(experts + baseline) else []
    return {
        "weight_similarity": experts + baseline + same_shape,
        "mean_neuron_similarity": experts + baseline + shared,
        "output_similarity": experts + baseline + shared,
    }


def _store(source: Source, folder: Path) -> str:
    tensors: dict[str, np.ndarray] = {}
    for name in EXPERIMENTS:
        module = importlib.import_module(f"experiments.{name}")
        tensors |= {f"{name}.{key}": np.ascontiguousarray(value) for key, value in module.values(source).items()}
    about = {
        "fixture": source.name,
        "labels": _labels(source),
        "script": "tests/reference/make_experiments.py",
        "versions": versions(("numpy", "scipy", "scikit-learn", "safetensors")),
    }
    path = folder / f"{source.name}.safetensors"
    save_numpy(path, tensors, {"reference": json.dumps(about, sort_keys=True)})
    return f"experiments on {source.name}: {len(tensors)} tensors, {path.stat().st_size // 1024} KiB"


def make_experiments(data: Path) -> None:
    """Writes data/experiments/NAME.safetensors and parameters.json."""
    folder = data / "experiments"
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, object] = {}
    for name, names, baseline in SOURCES:
        source = read_source(data / "models", name, names, baseline)
        counts[name] = parameters.values(source)
        print(_store(source, folder), flush=True)
    for name in DENSE_FIXTURES:
        counts[name] = parameters.values(read_source(data / "models", name, MIXTRAL))
    write_json(folder / "parameters.json", counts)
