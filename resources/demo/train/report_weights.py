# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expert weights' similarities (experiments A1 to A3) of the upcycled and the from-scratch model."""

from typing import Any

import numpy as np

import evaluation
from expert_similarity import ROLES, PairSimilarity, layer_similarity
from remembered import remembered
from report_subjects import Subject, table


def similarity_section(subjects: dict[str, Subject]) -> str:
    """A1 to A3 of the upcycled and of the from-scratch model."""
    upcycled, scratch = (similarity_text(subjects[name]) for name in ("tiny-mixtral", "tiny-deepseekmoe"))
    verdict = "passed" if upcycled["tau"] > 0.5 and abs(scratch["tau"]) < 0.1 else "**missed**"
    gate = f"\nGate (the paper's contrast: tau high when upcycled, near 0 from scratch): {verdict}.\n"
    return upcycled["text"] + scratch["text"] + gate


def similarity_text(subject: Subject) -> dict[str, Any]:
    """One model's table, and its mean tau."""
    return remembered(f"similarity {subject.key}", lambda: _similarity_text(subject))


def _similarity_text(subject: Subject) -> dict[str, Any]:
    lines, sums = [], []
    for layer, module in evaluation.routed_layers(subject.model):
        found = {role: layer_similarity(getattr(module, role).detach().numpy(), role) for role in ROLES}
        lines.append([str(layer), *(cell(found[role]) for role in ROLES)])
        sums += [(s.matrix, s.mean_neuron, s.matched, s.tau) for s in found.values()]
    average = PairSimilarity(*np.mean(sums, axis=0))
    text = f"\n### {subject.name}\n\nEach cell: A1 matrix, A2 mean neuron, A3 matched, Kendall's tau; means over all pairs.\n\n"
    text += table(["layer", *ROLES], lines) + f"\nMean: {cell(average)}.\n"
    return {"text": text, "tau": average.tau}


def cell(similarity: PairSimilarity) -> str:
    """Four numbers."""
    return f"{similarity.matrix:.3f}, {similarity.mean_neuron:.3f}, {similarity.matched:.3f}, {similarity.tau:+.3f}"
