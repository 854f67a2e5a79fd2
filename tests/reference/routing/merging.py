# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E8: experts grouped by the likeness of their weights, and the loss when each group becomes one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from common.checkpoint import read_tensors, write_checkpoint
from common.fixture import ModelParts
from experiments import weight_similarity
from experiments.source import ROLES, Array, Names, Source
from routing.loss import summary
from routing.run import Model, Run


def numbered(labels: Array) -> Array:
    """Groups numbered by their first member."""
    order = {label: n for n, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([order[label] for label in labels], dtype=np.int32)


def grouped(source: Source, groups: int) -> dict[str, Array]:
    """linkage.LAYER [E - 1, 4] (SciPy's form; average linkage of 1 - mean of A1 over the roles) and groups.LAYER [E]
    where the dendrogram is cut into that many."""
    count, similar = source.experts, weight_similarity.values(source)
    result: dict[str, Array] = {}
    for layer in source.layers:
        mean = np.mean([similar[f"{layer}.{role}"][:count, :count] for role in ROLES], axis=0)
        tree = linkage(squareform(1 - mean, checks=False), method="average")
        result[f"linkage.{layer}"] = tree
        result[f"groups.{layer}"] = numbered(fcluster(tree, groups, criterion="maxclust"))
    return result


def merged_tensors(folder: Path, names: Names, run: Run, groups: dict[int, Array]) -> dict[str, Tensor]:
    """The checkpoint's tensors with every expert replaced by its group's mean, weighted by the assignments of each;
    a group without any has the plain mean."""
    tensors = {name: tensor.double() for name, tensor in read_tensors(folder).items()}
    for layer, labels in groups.items():
        load = np.bincount(run.chosen[layer].ravel(), minlength=run.experts).astype(np.float64)
        for label in np.unique(labels):
            members = np.flatnonzero(labels == label)
            share = load[members] if load[members].sum() > 0 else np.ones(len(members))
            for pattern in names.expert.values():
                at = [pattern.format(l=layer, e=e) for e in members]
                weighted = [tensors[name] * w for name, w in zip(at, share / share.sum(), strict=True)]
                tensors |= dict.fromkeys(at, torch.stack(weighted).sum(dim=0))
    return {name: tensor.float() for name, tensor in tensors.items()}


def merged_loss(
    model: Model, names: Names, run: Run, groups: dict[int, Array], load: Callable[[Path], ModelParts], scratch: Path
) -> Array:
    """[4]: as in C4, with the groups of these layers merged; the router stays."""
    config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    write_checkpoint(scratch / "merged", config, merged_tensors(model.folder, names, run, groups))
    merged = Model(scratch / "merged", model.ids, model.offsets, load, model.changed)
    return summary(run, merged.logits(), model.logits())
