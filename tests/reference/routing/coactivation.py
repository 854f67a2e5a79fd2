# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""D2: how often j is chosen where i is."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run


def values(run: Run) -> dict[str, Array]:
    """LAYER [E, E]: N(i and j) / N(i); 0 for an expert never chosen."""
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        together = np.zeros((run.experts, run.experts))
        for ids in chosen:
            for i in ids:
                for j in ids:
                    together[i, j] += 1
        alone = np.diag(together)[:, None]
        result[f"{layer}"] = np.divide(together, alone, out=np.zeros_like(together), where=alone > 0)
    return result
