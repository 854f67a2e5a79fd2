# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs and unpacks the two block formats in which mixtures are published."""

from __future__ import annotations

import torch
from torch import Tensor

#: The largest value of float8 e4m3 and of the 4-bit float e2m1.
LARGEST_E4M3 = 448.0
LARGEST_E2M1 = 6.0
E2M1 = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
BLOCK = 128


def _tiles(rows: int, columns: int) -> list[tuple[slice, slice]]:
    return [
        (slice(r, min(r + BLOCK, rows)), slice(c, min(c + BLOCK, columns)))
        for r in range(0, rows, BLOCK)
        for c in range(0, columns, BLOCK)
    ]


def pack_fp8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """float8 e4m3 [M, N] with a float32 scale per tile of 128 x 128; the last tiles may be smaller."""
    rows, columns = weight.shape
    scales = torch.empty(-(-rows // BLOCK), -(-columns // BLOCK))
    packed = torch.empty(rows, columns, dtype=torch.float8_e4m3fn)
    for r, c in _tiles(rows, columns):
        tile = weight[r, c].float()
        scale = tile.abs().max() / LARGEST_E4M3
        scales[r.start // BLOCK, c.start // BLOCK] = scale
        packed[r, c] = (tile / scale).to(torch.float8_e4m3fn)
    return packed, scales


def unpack_fp8(packed: Tensor, scales: Tensor) -> Tensor:
    """float32: each value times its tile's scale (stored under the name weight_scale_inv)."""
    result = packed.float()
    for r, c in _tiles(*packed.shape):
        result[r, c] *= scales[r.start // BLOCK, c.start // BLOCK]
    return result


def pack_mxfp4(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Blocks of 32 along the last axis: [..., N / 32, 16] bytes, low nibble first, and exponents + 127."""
    blocks = weight.float().reshape(*weight.shape[:-1], -1, 32)
    exponents = torch.ceil(torch.log2(blocks.abs().amax(-1) / LARGEST_E2M1))
    scaled = blocks / torch.exp2(exponents)[..., None]
    codes = (scaled.abs()[..., None] - E2M1).abs().argmin(-1) + 8 * (scaled < 0)
    pairs = codes.reshape(*codes.shape[:-1], 16, 2)
    return (pairs[..., 0] + 16 * pairs[..., 1]).to(torch.uint8), (exponents + 127).to(torch.uint8)
