# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores block-quantised tensors with the values they stand for: more tiles, codes and scales than a
small model has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from common.checkpoint import save_tensors
from common.quantised import LARGEST_E4M3, pack_fp8, unpack_fp8
from common.versions import versions

#: Shapes with whole, partial, single and very narrow tiles.
FP8_SHAPES = {"partial": (141, 130), "whole": (128, 128), "row": (1, 129), "column": (130, 1)}


def _random(shape: tuple[int, ...]) -> Tensor:
    generator = np.random.Generator(np.random.PCG64([7, *shape]))
    return torch.from_numpy(generator.standard_normal(shape).astype(np.float32))


def fp8_values() -> dict[str, Tensor]:
    """NAME.weight, NAME.weight_scale_inv and NAME.expected; `codes` holds all 256 bytes."""
    result: dict[str, Tensor] = {}
    for name, shape in FP8_SHAPES.items():
        tile_sizes = torch.exp(_random((shape[0], 1)))  # so that the tiles' scales differ
        packed, scales = pack_fp8(_random(shape) * tile_sizes)
        result |= {
            f"{name}.weight": packed,
            f"{name}.weight_scale_inv": scales,
            f"{name}.expected": unpack_fp8(packed, scales),
        }
    codes = torch.arange(256, dtype=torch.uint8).reshape(2, 128).view(torch.float8_e4m3fn)
    scale = torch.tensor([[0.5]])
    return result | {
        "codes.weight": codes,
        "codes.weight_scale_inv": scale,
        "codes.expected": unpack_fp8(codes, scale),
    }


def whole_fp8_values() -> dict[str, Tensor]:
    """float8 as compressed-tensors has it: one `weight_scale` for the tensor, of shape [] or [1], or [M, 1]."""
    result: dict[str, Tensor] = {}
    for name, shape in {"per_tensor": (), "per_tensor_1": (1,), "per_channel": (9, 1)}.items():
        weight = _random((9, 21))
        largest = weight.abs().amax(1, keepdim=True) if name == "per_channel" else weight.abs().max()
        scale = (largest / LARGEST_E4M3).reshape(shape)
        packed = (weight / scale).to(torch.float8_e4m3fn)
        result |= {f"{name}.weight": packed, f"{name}.weight_scale": scale, f"{name}.expected": packed.float() * scale}
    return result


def mxfp4_values() -> dict[str, Tensor]:
    """blocks [2, 3, 2, 16], scales [2, 3, 2]; expected [2, 3, 64] in the order rows x inputs."""
    generator = np.random.Generator(np.random.PCG64(11))
    blocks = torch.from_numpy(generator.integers(0, 256, (2, 3, 2, 16)).astype(np.uint8))
    blocks[0, 0, 0] = torch.arange(16, dtype=torch.uint8) * 17  # both nibbles run through all codes
    scales = torch.from_numpy(generator.integers(100, 140, (2, 3, 2)).astype(np.uint8))
    scales[0, 0, 1], scales[1, 2, 0] = 1, 254
    expected = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32).transpose(-1, -2)
    return {"mxfp4.blocks": blocks, "mxfp4.scales": scales, "mxfp4.expected": expected}


def int4_values() -> dict[str, Tensor]:
    """compressed-tensors' pack-quantized form by its formula: (nibble - 8) times the scale of its 32."""
    generator = np.random.Generator(np.random.PCG64(13))
    nibbles = generator.integers(0, 16, (5, 64))
    shifted = nibbles.reshape(5, 8, 8).astype(np.uint64) << (4 * np.arange(8, dtype=np.uint64))
    packed = shifted.sum(-1).astype(np.uint32).view(np.int32)
    scales = torch.from_numpy(generator.uniform(0.01, 0.1, (5, 2)).astype(np.float32)).to(torch.bfloat16)
    values = torch.from_numpy((nibbles - 8).astype(np.float32))
    return {
        "int4.weight_packed": torch.from_numpy(packed),
        "int4.weight_scale": scales,
        "int4.weight_shape": torch.tensor([5, 64]),
        "int4.expected": values * scales.float().repeat_interleave(32, dim=1),
    }


def _all_values() -> dict[str, Tensor]:
    return fp8_values() | whole_fp8_values() | mxfp4_values() | int4_values()


def make_storage(data: Path) -> None:
    """Writes data/storage/quantised.safetensors."""
    folder = data / "storage"
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.contiguous() for k, v in _all_values().items()}
    about = {"script": "tests/reference/make_storage.py", "versions": versions()}
    path = folder / "quantised.safetensors"
    save_tensors(path, tensors, {"reference": json.dumps(about, sort_keys=True)})
    print(f"storage: {len(tensors)} tensors, {path.stat().st_size // 1024} KiB", flush=True)
