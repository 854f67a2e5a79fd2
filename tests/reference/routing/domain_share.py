# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C1: share of a domain's assignments that goes to each expert."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run


def values(run: Run) -> dict[str, Array]:
    """choice_1.LAYER, choice_2.LAYER … and any.LAYER [domains, E]; each row sums to 1."""
    domain = run.domain_of_token()
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        columns = {f"choice_{k + 1}": chosen[:, k : k + 1] for k in range(chosen.shape[1])} | {"any": chosen}
        for name, ids in columns.items():
            rows = [np.bincount(ids[domain == d].ravel(), minlength=run.experts) for d in range(len(run.names))]
            result[f"{name}.{layer}"] = np.array([row / row.sum() for row in rows])
    return result
