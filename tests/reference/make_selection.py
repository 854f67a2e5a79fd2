# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores what B1, B2 and B3 are of some tokens of the Mixtral fixture alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from common.checkpoint import save_numpy
from common.versions import versions
from experiments.formulas import angular
from experiments.output_similarity import per_token
from experiments.rank_counts import count_table
from experiments.source import MIXTRAL, read_source

#: Ranges [first, end) of tokens: within a document, over a boundary, a single one.
RANGES = ((3, 9), (14, 20), (25, 26))


def make_selection(data: Path) -> None:
    """Writes data/experiments/selection.safetensors: norms and scores of all tokens, and what follows for some."""
    source = read_source(data / "models", "mixtral", MIXTRAL, "mistral-baseline")
    tokens = np.concatenate([np.arange(first, end) for first, end in RANGES])
    later = np.setdiff1d(tokens, source.expected["document_offsets"])
    assert len(later) < len(tokens), "a document begins among the tokens"
    tensors: dict[str, np.ndarray] = {
        "ranges": np.array(RANGES, dtype=np.int64),
        "document_offsets": source.expected["document_offsets"].astype(np.int64),
    }
    for index in source.layers:
        norms = source.routed(index, "expert_output_norms")
        scores = source.routed(index, "scores")
        assert norms.dtype == scores.dtype == np.float32
        tensors[f"norms.{index}"] = norms
        tensors[f"scores.{index}"] = scores
        tensors[f"counts.{index}"] = count_table(scores[tokens], norms[tokens])
        tensors[f"without_first.counts.{index}"] = count_table(scores[later], norms[later])
        tensors[f"mean_norm.{index}"] = norms[tokens].astype(np.float64).mean(axis=0)
        tensors[f"mean_score.{index}"] = scores[tokens].astype(np.float64).mean(axis=0)
        similar = angular(per_token(source.outputs(index)[tokens])).mean(axis=0)
        np.fill_diagonal(similar, 1.0)
        tensors[f"angular.{index}"] = similar
    about = {
        "fixture": "mixtral",
        "script": "tests/reference/make_selection.py",
        "versions": versions(("numpy", "safetensors")),
    }
    path = data / "experiments" / "selection.safetensors"
    save_numpy(
        path,
        {name: np.ascontiguousarray(value) for name, value in tensors.items()},
        {"reference": json.dumps(about, sort_keys=True)},
    )
    print(f"selection: {len(tensors)} tensors, {path.stat().st_size // 1024} KiB", flush=True)
