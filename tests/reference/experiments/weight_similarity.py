# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A1: cosine of whole matrices, raw and relative to the baseline or to the experts' mean."""

from __future__ import annotations

import numpy as np

from experiments.formulas import cosine_matrix
from experiments.source import ROLES, Array, Source


def values(source: Source) -> dict[str, Array]:
    """LAYER.ROLE [N, N] of experts, F, S; relative_to_* [E, E] of experts only."""
    result: dict[str, Array] = {}
    for index, layer in source.layers.items():
        for role in ROLES:
            at = f"{index}.{role}"
            result[at] = cosine_matrix(source.columns(index, role))
            experts = layer.experts[role]
            mean = np.mean(experts, axis=0)
            result[f"relative_to_mean.{at}"] = cosine_matrix([e - mean for e in experts])
            if layer.baseline is not None:
                result[f"relative_to_baseline.{at}"] = cosine_matrix([e - layer.baseline[role] for e in experts])
    return result
