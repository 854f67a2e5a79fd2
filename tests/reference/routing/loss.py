# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loss on the next token, for C4 and C6."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from experiments.source import Array
from routing.run import Run


def scored_positions(run: Run) -> Array:
    """Tokens that have a next one in their document."""
    return np.setdiff1d(np.arange(len(run.ids)), run.offsets[1:] - 1)


def losses(run: Run, logits: Array) -> Array:
    """Negative log-likelihood of the next token at the scored positions."""
    at = scored_positions(run)
    return -log_softmax(logits[at], axis=-1)[np.arange(len(at)), run.ids[at + 1]]


def summary(run: Run, logits: Array, intact: Array) -> Array:
    """Mean loss, perplexity, accuracy, share of scored positions whose prediction differs from intact."""
    at = scored_positions(run)
    predicted = logits[at].argmax(-1)
    mean = losses(run, logits).mean()
    changed = (predicted != intact[at].argmax(-1)).mean()
    return np.array([mean, np.exp(mean), (predicted == run.ids[at + 1]).mean(), changed])
