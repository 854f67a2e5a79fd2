# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores the golden values of the experiments on the trained demo models, over the shipped text.

Everything per token and every permutation is left out, so that the files stay small; the experiments on weights,
on all experts' outputs and with a changed router are stored for a few layers, and where there are many experts what
is large for the last of them alone.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from common.checkpoint import save_numpy
from common.fixture import ModelParts
from common.remote import RemoteCode
from common.runner import run_model
from common.versions import versions
from experiments import parameters
from experiments.source import DEEPSEEK, MIXTRAL, Array, Names, Source, source_of
from families import deepseek, dense, mixtral
from make_demo import identity
from make_experiments import EXPERIMENTS
from routing import (
    coactivation,
    domain_share,
    expert_logit_lens,
    expert_removal,
    fewer_experts,
    importance,
    load_balance,
    merging,
    paths,
    repetition,
    router_margin,
    router_probes,
    router_saturation,
    specialisation,
    steering,
)
from routing.run import Model, Run, as_run, change_deepseek, change_mixtral

#: Tokens of each document, with what the tokenizer's template puts first.
LENGTH = 40
#: Layers of the experiments on weights, on all experts' outputs and with a changed router.
LAYERS = (1, 4, 7)
#: The text begins at the first of these tokens of each document that leaves the router margins clearest.
STARTS = range(0, 24, 3)
#: E5 for so many of the first tokens.
LENS_TOKENS = 12
#: Into how many groups E8 cuts the experts of a layer: half as many as there are.
GROUPS_PER_EXPERT = 0.5
#: What is left out for its size.
LEFT_OUT = re.compile(
    r"matched_similarity\.(joint\.)?permutation|output_similarity\.cosine|neuron_projection\.(scores|owner)"
    r"|intermediate_states\.(states|shared)|chosen_experts|router_margin\.\d|specialisation\.vocabulary\.|batch_balance"
    r"|layer_predicted"
)
#: With many experts, arrays of more numbers than this are kept for the last of LAYERS alone, in 32 bits, and A1 relative
#: to the mean, and what is predicted without experts, are left out.
MANY_NUMBERS = 256


@dataclass(frozen=True)
class Subject:
    """A demo model, its dense baseline and another checkpoint to compare the routing with."""

    name: str
    other: str
    names: Names
    baseline: str | None
    load: Callable[[Path], ModelParts]
    changed: Callable[..., None]
    thinned: bool = False  # MANY_NUMBERS holds


def subjects(demo: Path, remote_code: RemoteCode) -> list[Subject]:
    """Those that can be run."""
    found = [Subject("tiny-mixtral", "tiny-mixtral-instruct", MIXTRAL, "tiny-mistral", mixtral.load, change_mixtral)]
    if remote_code:
        config = json.loads((demo / "tiny-deepseekmoe" / "config.json").read_text(encoding="utf-8"))
        load = partial(deepseek.load_folder, config, remote_code)
        found.append(Subject("tiny-deepseekmoe", "tiny-deepseekmoe-early", DEEPSEEK, None, load, change_deepseek, True))
    return found


def text(demo: Path, name: str, start: int) -> tuple[Tensor, Tensor, list[str]]:
    """Ids [T], offsets [D + 1] and domains [D] of the first shipped document of each domain, from token `start` on."""
    tokenizer = Tokenizer.from_file(str(demo / name / "tokenizer.json"))
    first = tokenizer.encode("").ids
    lines = (demo / "text" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    documents: dict[str, str] = {}
    for record in map(json.loads, lines):
        documents.setdefault(record["domain"], record["text"])
    ids = [tokenizer.encode(document, add_special_tokens=False).ids for document in documents.values()]
    rows = [(first + row[start:])[:LENGTH] for row in ids]
    offsets = torch.tensor([0, *np.cumsum([len(row) for row in rows])])
    return torch.tensor(sum(rows, [])), offsets, list(documents)


def _pass(subject: Subject, demo: Path) -> tuple[dict[str, Tensor], list[str], float, int]:
    """The text that leaves the margins clearest: what came out, its domains, the smallest margin, where it begins."""
    parts = subject.load(demo / subject.name)
    best: tuple[dict[str, Tensor], list[str], float, int] = ({}, [], -1.0, 0)
    for start in STARTS:
        ids, offsets, domains = text(demo, subject.name, start)
        expected, margin = run_model(parts, ids, offsets, subject.name)
        if margin > best[2]:
            best = (expected, domains, margin, start)
    return best


def _numpy(expected: dict[str, Tensor]) -> dict[str, Array]:
    return {name: tensor.numpy() for name, tensor in expected.items()}


def _static(few: Source) -> dict[str, Array]:
    """The experiments on weights and on all experts' outputs."""
    result: dict[str, Array] = {}
    for name in EXPERIMENTS:
        values = importlib.import_module(f"experiments.{name}").values(few)
        result |= {f"{name}.{key}": value for key, value in values.items()}
    return result


def _routing(run: Run, other: Run, model: Model) -> dict[str, Array]:
    parts = {
        "domain_share": domain_share.values(run),
        "repetition": repetition.values(run),
        "expert_removal": expert_removal.values(run, model, LAYERS),
        "fewer_experts": fewer_experts.values(run, model, LAYERS),
        "load_balance": load_balance.values(run),
        "router_saturation": router_saturation.values(run, other),
        "coactivation": coactivation.values(run),
        "specialisation": specialisation.values(run),
        "importance": importance.values(run),
        "router_margin": router_margin.values(run),
    }
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}


def _thinned(values: dict[str, Array]) -> dict[str, Array]:
    """Without the large arrays of all layers but one, the others of them in 32 bits."""
    narrow = {np.dtype(np.float64): np.float32, np.dtype(np.int64): np.int32}
    result: dict[str, Array] = {}
    for name, value in values.items():
        if "relative_to_mean" in name or name.startswith("expert_removal.") and name.endswith("_predicted"):
            continue
        if value.size <= MANY_NUMBERS:
            result[name] = value
            continue
        layer = re.search(r"\.(\d+)(\.|$)", name)
        if layer is None or int(layer[1]) == LAYERS[-1]:
            result[name] = value.astype(narrow.get(value.dtype, value.dtype))
    return result


def _beyond(few: Source, run: Run, model: Model, parts: ModelParts) -> dict[str, Array]:
    """E4 to E8 on the layers of `few`; E3 wants several documents of a domain, and here each has one."""
    expected = {
        name: value for name, value in few.expected.items()
        if not name.startswith("layers.") or int(name.split(".")[1]) in few.layers
    }  # fmt: skip
    groups = merging.grouped(few, int(GROUPS_PER_EXPERT * few.experts))
    names = DEEPSEEK if few.layers[LAYERS[0]].shared else MIXTRAL
    labels = {layer: groups[f"groups.{layer}"] for layer in few.layers}
    with tempfile.TemporaryDirectory() as scratch:
        loss = merging.merged_loss(model, names, run, labels, model.load, Path(scratch))
    values = {
        "steering": steering.risk_difference(run),
        "expert_logit_lens": expert_logit_lens.values(expected, parts, LENS_TOKENS),
        "paths": paths.values(run),
        "router_probes": router_probes.position_values(run),
        "merging": groups | {"loss": loss},
    }
    return {f"{name}.{key}": value for name, part in values.items() for key, value in part.items()}


def _golden(subject: Subject, demo: Path) -> tuple[dict[str, Array], dict[str, object]]:
    expected, domains, margin, start = _pass(subject, demo)
    ids, offsets = expected["token_ids"], expected["document_offsets"]
    plain = _numpy(run_model(dense.load(demo / subject.baseline), ids, offsets, "F")[0]) if subject.baseline else None
    source = source_of(demo, subject.name, subject.names, _numpy(expected), subject.baseline, plain)
    run = as_run(expected, domains)
    other = as_run(run_model(subject.load(demo / subject.other), ids, offsets, subject.other)[0], domains)
    model = Model(demo / subject.name, ids.numpy(), offsets.numpy(), subject.load, subject.changed)
    few = dataclasses.replace(source, layers={layer: source.layers[layer] for layer in LAYERS})
    values = {"token_ids": run.ids, "document_offsets": run.offsets} | _static(few) | _routing(run, other, model)
    values |= _beyond(few, run, model, subject.load(demo / subject.name))
    about: dict[str, object] = {
        "document_domains": domains,
        "domains": run.names,
        "first_token": start,
        "minimum_router_margin": margin,
        "parameters": parameters.values(source),
    }
    kept = {name: value for name, value in values.items() if not LEFT_OUT.search(name)}
    return _thinned(kept) if subject.thinned else kept, about


def make_demo_experiments(data: Path, demo: Path, remote_code: RemoteCode) -> None:
    """Writes data/demo/experiments-MODEL.safetensors."""
    for subject in subjects(demo, remote_code):
        values, about = _golden(subject, demo)
        used = [name for name in (subject.name, subject.other, subject.baseline) if name]
        about |= {
            "script": "tests/reference/make_demo_experiments.py",
            "versions": versions(("numpy", "scipy", "scikit-learn", "torch", "transformers")),
            "weights_sha256": {name: identity(demo / name) for name in used},
        }
        path = data / "demo" / f"experiments-{subject.name}.safetensors"
        arrays = {name: np.ascontiguousarray(value) for name, value in values.items()}
        save_numpy(path, arrays, {"reference": json.dumps(about, sort_keys=True)})
        line = f"from token {about['first_token']}, margin {about['minimum_router_margin']:.2g}"
        print(
            f"experiments on {subject.name}: {line}, {len(arrays)} tensors, {path.stat().st_size // 1024} KiB",
            flush=True,
        )
