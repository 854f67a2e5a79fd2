# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A6: all neurons of all experts (and F, S) as points."""

from __future__ import annotations

import numpy as np

from experiments.matched_similarity import neurons
from experiments.projection import principal_scores, standardised
from experiments.source import ROLES, Array, Source


def values(source: Source) -> dict[str, Array]:
    """scores [neurons, 3], explained [3] and owner [neurons] (column number), first mixture layer only."""
    index = next(iter(source.layers))
    result: dict[str, Array] = {}
    for role in ROLES:
        groups = [neurons(m, role) for m in source.columns_of_any_width(index, role)]
        rows = np.concatenate(groups)
        result[f"owner.{index}.{role}"] = np.repeat(np.arange(len(groups)), [len(g) for g in groups]).astype(np.int32)
        for kind, points in (("raw", rows), ("standardised", standardised(rows))):
            scores, explained = principal_scores(points, 3)
            at = f"{kind}.{index}.{role}"
            result |= {f"scores.{at}": scores.astype(np.float32), f"explained.{at}": explained}
    return result
