# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C2: does a token go where the token before it in its document went?"""

from __future__ import annotations

from math import comb

import numpy as np

from experiments.source import Array
from routing.run import Run


def values(run: Run) -> dict[str, Array]:
    """LAYER [domains + 1, 2]: share with the same first choice, share with overlapping sets; last row: all.
    random [2]; positions [domains + 1]."""
    domain, later = run.domain_of_token(), np.flatnonzero(~run.first_of_document())
    groups = [later[domain[later] == d] for d in range(len(run.names))] + [later]
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        same = np.array([chosen[t, 0] == chosen[t - 1, 0] for t in range(1, len(chosen))])
        overlap = np.array([bool(set(chosen[t]) & set(chosen[t - 1])) for t in range(1, len(chosen))])
        result[f"{layer}"] = np.array([[same[g - 1].mean(), overlap[g - 1].mean()] for g in groups])
    count, k = run.experts, chosen.shape[1]
    result["random"] = np.array([1 / count, 1 - comb(count - k, k) / comb(count, k)])
    result["positions"] = np.array([len(g) for g in groups])
    return result
