# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Principal components as A5 and A6 define them."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from experiments.source import Array


def standardised(rows: Array) -> Array:
    """Each column less its mean, over its unbiased deviation; a constant column becomes 0."""
    centred = rows - rows.mean(axis=0)
    deviation = rows.std(axis=0, ddof=1)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)


def principal_scores(rows: Array, components: int) -> tuple[Array, Array]:
    """Scores [rows, components], each component's largest-magnitude score positive; explained variance ratio.

    From the singular values of the centred rows; scikit-learn's PCA must agree.
    """
    left, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    scores = (left * singular)[:, :components]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(components)])
    scores = scores * signs
    reference = PCA(components, svd_solver="full").fit(rows)
    assert np.allclose(np.abs(reference.transform(rows)), np.abs(scores), atol=1e-8)
    ratio = (singular**2 / (singular**2).sum())[:components]
    assert np.allclose(ratio, reference.explained_variance_ratio_, atol=1e-12)
    return scores, ratio
