# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random weights that depend on nothing but a seed and a tensor's name.

NumPy's PCG64 is used because its stream is part of NumPy's compatibility promise, so that a new
version of PyTorch does not change the fixtures. Every tensor has a generator of its own: adding a
tensor to a family leaves the others as they were.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class WeightMaker:
    """Draws the tensors of one checkpoint.

    Linear maps get a standard deviation of gain / sqrt(inputs), so that a normalised input gives
    outputs whose size is about the gain: activations stay of order one through all layers.
    Values are rounded to the storage type here, so that what is written equals what was run.
    """

    seed: int
    dtype: torch.dtype = torch.float32

    def _generator(self, name: str) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, zlib.crc32(name.encode())]))

    def _rounded(self, values: np.ndarray, dtype: torch.dtype | None = None) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(dtype or self.dtype)

    def linear(self, name: str, outputs: int, inputs: int, gain: float = 1.0) -> torch.Tensor:
        """A weight [outputs, inputs]."""
        values = self._generator(name).standard_normal((outputs, inputs))
        return self._rounded(values * gain / np.sqrt(inputs))

    def stacked(self, name: str, shape: tuple[int, ...], inputs: int, gain: float = 1.0) -> torch.Tensor:
        """A fused weight of any shape whose inner products run over `inputs` entries."""
        values = self._generator(name).standard_normal(shape)
        return self._rounded(values * gain / np.sqrt(inputs))

    def normal(self, name: str, shape: tuple[int, ...], deviation: float = 1.0) -> torch.Tensor:
        """Independent normal entries: embeddings and biases."""
        return self._rounded(self._generator(name).standard_normal(shape) * deviation)

    def norm(self, name: str, size: int, centre: float = 1.0) -> torch.Tensor:
        """The weight of a norm, uniform in centre +- 0.5, so that leaving it out shows."""
        return self._rounded(self._generator(name).uniform(centre - 0.5, centre + 0.5, size))
