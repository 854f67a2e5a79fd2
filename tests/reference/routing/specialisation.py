# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""D3 and D4: experts per domain and per vocabulary entry."""

from __future__ import annotations

import numpy as np

from experiments.source import Array
from routing.run import Run

LEAST_SEEN = 10


def domain_specialisation(run: Run) -> dict[str, Array]:
    """domain.LAYER [domains, E]: N(expert chosen for a token of D) / N(tokens of D)."""
    domain = run.domain_of_token()
    result: dict[str, Array] = {}
    for layer, chosen in run.chosen.items():
        rows = []
        for d in range(len(run.names)):
            mine = chosen[domain == d]
            rows.append([(mine == e).any(axis=1).mean() for e in range(run.experts)])
        result[f"domain.{layer}"] = np.array(rows)
    return result


def _tokens(run: Run) -> dict[str, tuple[Array, Array]]:
    """For each reading of a token: positions that have one, and the id."""
    every = np.arange(len(run.ids))
    followed = np.setdiff1d(every, run.offsets[1:] - 1)
    return {
        "input": (every, run.ids),
        "next": (followed, run.ids[followed + 1]),
        "predicted": (every, run.predicted),
    }


def vocabulary_specialisation(run: Run) -> dict[str, Array]:
    """vocabulary_ids.READING: ids seen at least 10 times; vocabulary.READING.LAYER [ids, E]:
    N(id routed to expert) / N(id); vocabulary_mean.READING.LAYER [E]: mean over the ids that the expert
    got at least once, 0 where it got none."""
    result: dict[str, Array] = {}
    for reading, (positions, ids) in _tokens(run).items():
        seen = np.bincount(ids)
        frequent = np.flatnonzero(seen >= LEAST_SEEN)
        result[f"vocabulary_ids.{reading}"] = frequent
        for layer, chosen in run.chosen.items():
            table = np.zeros((len(frequent), run.experts))
            for row, token in enumerate(frequent):
                mine = chosen[positions[ids == token]]
                table[row] = [(mine == e).any(axis=1).sum() / seen[token] for e in range(run.experts)]
            got = table > 0
            sums, counts = table.sum(axis=0), got.sum(axis=0)
            result[f"vocabulary.{reading}.{layer}"] = table
            result[f"vocabulary_mean.{reading}.{layer}"] = np.divide(
                sums, counts, out=np.zeros(run.experts), where=counts > 0
            )
    return result


def values(run: Run) -> dict[str, Array]:
    """Both."""
    return domain_specialisation(run) | vocabulary_specialisation(run)
