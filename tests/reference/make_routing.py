# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores a longer run of the Mixtral fixture and the golden values of the experiments on routing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from common.checkpoint import save_numpy
from common.runner import run_model
from common.versions import versions
from experiments.source import MIXTRAL, read_source
from families import mixtral
from routing import (
    coactivation,
    domain_share,
    expert_logit_lens,
    expert_removal,
    fewer_experts,
    importance,
    load_balance,
    merging,
    multiple_choice,
    paths,
    repetition,
    router_margin,
    router_noise,
    router_probes,
    router_saturation,
    specialisation,
    steering,
    uncertainty,
)
from routing.run import Model, Run, intact_run, other_run

FIXTURE = "mixtral"
FORCED_LAYER = 1
GROUPS = 3
LENS_TOKENS = 31  # the first document


def _inputs(run: Run) -> dict[str, np.ndarray]:
    result = {
        "token_ids": run.ids,
        "document_offsets": run.offsets,
        "predicted_ids": run.predicted.astype(np.int32),
    }
    for layer in run.chosen:
        result |= {
            f"layers.{layer}.chosen_experts": run.chosen[layer],
            f"layers.{layer}.weights": run.weights[layer],
            f"layers.{layer}.router_logits": run.logits[layer],
        }
    return result


def _beyond(data: Path, run: Run, model: Model) -> dict[str, np.ndarray]:
    """E3 to E8."""
    parts = mixtral.load(model.folder)
    expected, _margin = run_model(parts, torch.from_numpy(run.ids), torch.from_numpy(run.offsets), "long")
    lens = expert_logit_lens.values({name: tensor.numpy() for name, tensor in expected.items()}, parts, LENS_TOKENS)
    groups = merging.grouped(read_source(data / "models", FIXTURE, MIXTRAL), GROUPS)
    labels = {layer: groups[f"groups.{layer}"] for layer in run.chosen}
    with tempfile.TemporaryDirectory() as scratch:
        merged = merging.merged_loss(model, MIXTRAL, run, labels, mixtral.load, Path(scratch))
    golden = {
        "uncertainty": uncertainty.values(run),
        "steering": steering.risk_difference(run) | {"forced": steering.forced(run, model, FORCED_LAYER)},
        "expert_logit_lens": lens,
        "paths": paths.values(run),
        "router_probes": router_probes.domain_values(run) | router_probes.position_values(run),
        "merging": groups | {"loss": merged},
    }
    return {f"{name}.{key}": value for name, part in golden.items() for key, value in part.items()}


def make_routing(data: Path) -> None:
    """Writes routing, beyond, router_noise and multiple_choice.safetensors to data/experiments."""
    folder = data / "models" / FIXTURE
    run, model = intact_run(folder, mixtral.CONFIG["vocab_size"])
    with tempfile.TemporaryDirectory() as scratch:
        other = other_run(folder, Path(scratch) / "other", run.ids)
    golden = {
        "domain_share": domain_share.values(run),
        "repetition": repetition.values(run),
        "expert_removal": expert_removal.values(run, model),
        "fewer_experts": fewer_experts.values(run, model),
        "load_balance": load_balance.values(run),
        "router_saturation": router_saturation.values(run, other),
        "coactivation": coactivation.values(run),
        "specialisation": specialisation.values(run),
        "importance": importance.values(run),
        "router_margin": router_margin.values(run),
    }
    tensors = _inputs(run) | {f"{name}.{key}": v for name, part in golden.items() for key, v in part.items()}
    about = {
        "document_domains": run.domains,
        "domains": run.names,
        "fixture": FIXTURE,
        "script": "tests/reference/make_routing.py",
        "versions": versions(("numpy", "scipy", "scikit-learn", "torch", "transformers")),
    }
    _write(data, "routing", tensors, about)
    about = {name: about[name] for name in ("fixture", "script", "versions")}
    _write(data, "router_noise", router_noise.values(folder, model), about)
    _write(data, "beyond", _beyond(data, run, model), about)
    vocabulary = mixtral.CONFIG["vocab_size"]
    _write(data, "multiple_choice", multiple_choice.values(model, vocabulary, run.experts), about)
    print(f"routing: {len(run.ids)} tokens", flush=True)


def _write(data: Path, name: str, tensors: dict[str, np.ndarray], about: dict[str, object]) -> None:
    path = data / "experiments" / f"{name}.safetensors"
    arrays = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    save_numpy(path, arrays, {"reference": json.dumps(about, sort_keys=True)})
    print(f"{name}: {len(arrays)} tensors, {path.stat().st_size // 1024} KiB", flush=True)
