# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores how far the base and the instruct model of the demo choose the same experts for the same tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from common.checkpoint import save_numpy
from common.versions import versions

MODELS = ("tiny-mixtral", "tiny-mixtral-instruct")


def agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Shares of equal first choices and of equal sets, and the mean overlap, of chosen experts [T, k]."""
    sets = [(set(x), set(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    return np.array(
        [
            np.mean(a[:, 0] == b[:, 0]),
            np.mean([x == y for x, y in sets]),
            np.mean([len(x & y) / a.shape[1] for x, y in sets]),
        ]
    )


def make_agreement(data: Path) -> None:
    """Writes data/demo/agreement.safetensors from the stored runs of both models."""
    base, instruct = (load_file(data / "demo" / f"{name}.safetensors") for name in MODELS)
    assert np.array_equal(base["token_ids"], instruct["token_ids"]), "both ran on the same text"
    layers = sorted(int(name.split(".")[1]) for name in base if name.endswith(".chosen_experts"))
    keys = [f"layers.{layer}.chosen_experts" for layer in layers]
    tensors = {
        f"agreement.{layer}": agreement(base[key], instruct[key]) for layer, key in zip(layers, keys, strict=True)
    }
    about = {"models": MODELS, "script": "tests/reference/make_agreement.py", "versions": versions(("numpy",))}
    save_numpy(data / "demo" / "agreement.safetensors", tensors, {"reference": json.dumps(about, sort_keys=True)})
    print(f"agreement of {' and '.join(MODELS)}: {len(tensors)} layers", flush=True)
