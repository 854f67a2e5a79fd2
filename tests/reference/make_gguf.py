# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores blocks of GGUF's quantised types with the float32 values that the `gguf` package makes of them.

The bytes are random, so that every code, scale and high bit occurs; only the half-precision scales are
drawn as numbers, since random bits would give infinities."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from common.checkpoint import save_tensors
from common.versions import versions

#: Blocks of one type.
BLOCKS = 6
#: Scales of the first blocks: both signs, zero, the smallest half and a large one; the rest is drawn.
FIRST_SCALES = (0.0123, -0.0371, 0.0, 6e-8, 512.0)


@dataclass(frozen=True)
class Layout:
    """Where a type keeps its half-precision scales; MXFP4 has an exponent instead."""

    halves: tuple[int, ...] = ()
    exponent: int | None = None


LAYOUTS = {
    "Q8_0": Layout((0,)),
    "Q4_0": Layout((0,)),
    "Q4_1": Layout((0, 2)),
    "Q5_0": Layout((0,)),
    "Q5_1": Layout((0, 2)),
    "Q2_K": Layout((80, 82)),
    "Q3_K": Layout((108,)),
    "Q4_K": Layout((0, 2)),
    "Q5_K": Layout((0, 2)),
    "Q6_K": Layout((208,)),
    "IQ4_NL": Layout((0,)),
    "IQ4_XS": Layout((0,)),
    "MXFP4": Layout(exponent=0),
}


def random_blocks(name: str) -> np.ndarray:
    """uint8 [BLOCKS, bytes of a block]."""
    kind = GGMLQuantizationType[name]
    _, size = GGML_QUANT_SIZES[kind]
    generator = np.random.Generator(np.random.PCG64([17, int(kind)]))
    blocks = generator.integers(0, 256, (BLOCKS, size)).astype(np.uint8)
    for number, place in enumerate(LAYOUTS[name].halves):
        scales = generator.uniform(-0.1, 0.1, BLOCKS).astype(np.float16)
        scales[: len(FIRST_SCALES)] = np.roll(FIRST_SCALES, number)
        blocks[:, place : place + 2] = scales.view(np.uint8).reshape(BLOCKS, 2)
    if (place := LAYOUTS[name].exponent) is not None:
        blocks[:, place] = [127, 120, 0, 1, 250, 133][:BLOCKS]
    return blocks


def make_gguf(data: Path) -> None:
    """Writes data/storage/gguf_blocks.safetensors: TYPE.blocks and TYPE.expected [blocks, values]."""
    folder = data / "storage"
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, torch.Tensor] = {}
    for name in LAYOUTS:
        blocks = random_blocks(name)
        expected = dequantize(blocks, GGMLQuantizationType[name])
        assert expected.dtype == np.float32 and np.isfinite(expected).all(), name
        tensors[f"{name}.blocks"] = torch.from_numpy(blocks)
        tensors[f"{name}.expected"] = torch.from_numpy(np.ascontiguousarray(expected))
    about = {
        "script": "tests/reference/make_gguf.py",
        "types": {name: int(GGMLQuantizationType[name]) for name in LAYOUTS},
        "versions": versions(("gguf", "numpy", "safetensors")),
    }
    path = folder / "gguf_blocks.safetensors"
    save_tensors(path, tensors, {"reference": json.dumps(about, sort_keys=True)})
    print(f"gguf blocks: {len(LAYOUTS)} types, {path.stat().st_size // 1024} KiB", flush=True)
