# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A5: experts (and F) as points in the plane of the two first principal components."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import DBSCAN

from experiments.projection import principal_scores, standardised
from experiments.source import ROLES, Array, Source

#: Neighbourhoods for the outlier test: the published one, and one that finds something here.
PUBLISHED = (50.0, 5)
NARROW = (6.0, 3)


def _rows(source: Source, layer: int, role: str) -> Array:
    here = source.layers[layer]
    matrices = here.experts[role] + ([here.baseline[role]] if here.baseline is not None else [])
    return np.stack([m.reshape(-1) for m in matrices])


def values(source: Source) -> dict[str, Array]:
    """scores [N, 2], explained [2] and DBSCAN labels [N] (-1: outlier), raw and standardised, by LAYER.ROLE."""
    result: dict[str, Array] = {}
    for index in source.layers:
        for role in ROLES:
            rows = _rows(source, index, role)
            for kind, points in (("raw", rows), ("standardised", standardised(rows))):
                scores, explained = principal_scores(points, 2)
                at = f"{kind}.{index}.{role}"
                result |= {f"scores.{at}": scores, f"explained.{at}": explained}
                for name, (radius, least) in (("published", PUBLISHED), ("narrow", NARROW)):
                    labels = DBSCAN(eps=radius, min_samples=least).fit_predict(scores)
                    result[f"clusters_{name}.{at}"] = labels.astype(np.int32)
    return result
