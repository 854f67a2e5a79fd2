# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes checkpoints in the layout in which the hub publishes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file as save_numpy_file
from safetensors.torch import load_file, save_file


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file with a final newline; keys keep their order."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Writes a safetensors file, readable by everyone (the library makes it private)."""
    save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)


def _split(names: list[str], shards: int) -> list[list[str]]:
    """Cuts the names into `shards` runs of nearly equal length, in order."""
    bounds = [len(names) * i // shards for i in range(shards + 1)]
    return [names[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def write_checkpoint(
    folder: Path,
    config: dict[str, Any],
    tensors: dict[str, torch.Tensor],
    shards: int = 1,
    pickled: bool = False,
) -> None:
    """Writes config.json and the weights, replacing the folder.

    With more than one shard an index file names the file of each tensor, as on the hub. `pickled`
    writes PyTorch's .bin files instead of safetensors (Grok-1 is published so).
    """
    _clear(folder)
    write_json(folder / "config.json", config)
    stem, suffix = ("pytorch_model", "bin") if pickled else ("model", "safetensors")
    parts = _split(list(tensors), shards)
    weight_map: dict[str, str] = {}
    for number, names in enumerate(parts, start=1):
        file = f"{stem}.{suffix}" if shards == 1 else f"{stem}-{number:05d}-of-{shards:05d}.{suffix}"
        part = {name: tensors[name].contiguous() for name in names}
        if pickled:
            torch.save(part, folder / file)
        else:
            save_tensors(folder / file, part, {"format": "pt"})
        weight_map.update(dict.fromkeys(names, file))
    if shards > 1:
        size = sum(t.numel() * t.element_size() for t in tensors.values())
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
        write_json(folder / f"{stem}.{suffix}.index.json", index)


def read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a written folder, whatever the number and kind of its files."""
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("model*.safetensors")):
        tensors |= load_file(path)
    for path in sorted(folder.glob("pytorch_model*.bin")):
        tensors |= torch.load(path, weights_only=True)
    return tensors


def save_numpy(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """The same for NumPy arrays, which may be float64."""
    save_numpy_file(tensors, path, metadata=metadata)
    path.chmod(0o644)
