# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expert weights' similarities (experiments A1 to A3) of the upcycled and the from-scratch model."""

from dataclasses import astuple
from typing import Any

import numpy as np

import evaluation
from expert_similarity import ROLES, PairSimilarity, baseline_similarity, layer_similarity
from remembered import remembered
from report_subjects import Subject, table


def similarity_section(subjects: dict[str, Subject]) -> str:
    """A1 to A3 of the upcycled and of the from-scratch model."""
    upcycled = similarity_text(subjects["tiny-mixtral"], subjects["tiny-mistral"])
    scratch = similarity_text(subjects["tiny-deepseekmoe"])
    verdict = "passed" if upcycled["tau"] > 0.5 and abs(scratch["tau"]) < 0.1 else "**missed**"
    gate = f"\nGate (the paper's contrast: tau high when upcycled, near 0 from scratch): {verdict}.\n"
    redrawn = subjects["tiny-mixtral"].recipe.redrawn
    start = f"\nOf every copy of the dense feed-forward {redrawn:.1%} of the neurons were drawn anew before training, so that tau "
    start += "and the similarities tell of that start as well as of the training: at the start tau is about 0.72 between two "
    return upcycled["text"] + start + "experts.\n" + scratch["text"] + gate


def similarity_text(subject: Subject, baseline: Subject | None = None) -> dict[str, Any]:
    """One model's table, and its mean tau."""
    key = f"similarity {subject.key} {baseline.key if baseline else ''}"
    return remembered(key, lambda: _similarity_text(subject, baseline))


def _similarity_text(subject: Subject, baseline: Subject | None) -> dict[str, Any]:
    lines, sums, with_dense = [], [], []
    for layer, module in evaluation.routed_layers(subject.model):
        found = {role: layer_similarity(getattr(module, role).detach().numpy(), role) for role in ROLES}
        lines.append([str(layer), *(cell(found[role]) for role in ROLES)])
        sums += [astuple(value) for value in found.values()]
        if baseline:
            dense = baseline.model.layers[layer].feed_forward
            for role in ROLES:
                weight = getattr(dense, f"{role}_proj").weight.detach().numpy()
                pairs = baseline_similarity(getattr(module, role).detach().numpy(), weight, role)
                with_dense.append(astuple(pairs))
    average = PairSimilarity(*np.mean(sums, axis=0))
    text = f"\n### {subject.name}\n\nEach cell: A1 matrix, A2 mean neuron, A3 matched, Kendall's tau; means over all pairs.\n\n"
    text += table(["layer", *ROLES], lines) + f"\nMean: {cell(average)}.\n"
    if baseline:
        text += f"Experts with F ({baseline.name}), mean over layers and roles: "
        text += f"{cell(PairSimilarity(*np.mean(with_dense, axis=0)))}.\n"
    return {"text": text, "tau": average.tau}


def cell(similarity: PairSimilarity) -> str:
    """Four numbers."""
    return f"{similarity.matrix:.3f}, {similarity.mean_neuron:.3f}, {similarity.matched:.3f}, {similarity.tau:+.3f}"
