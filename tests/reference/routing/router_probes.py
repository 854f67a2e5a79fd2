# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""E7: what can be read from a layer's router scores by a linear map, tested on documents that it was not fitted to."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from experiments.source import Array
from routing.run import Run

FOLDS = 3
PENALTY = 1.0


def folds(run: Run) -> Array:
    """Fold of each token: the n-th document of a domain is in fold n mod FOLDS."""
    seen = dict.fromkeys(run.names, 0)
    of_document = []
    for domain in run.domains:
        of_document.append(seen[domain] % FOLDS)
        seen[domain] += 1
    return np.repeat(of_document, np.diff(run.offsets))


def cross_validated(features: Array, targets: Array, fold: Array) -> Array:
    """Ridge regression (intercept free) of targets [T, n], for each fold from the others."""
    result = np.empty_like(targets)
    for held_out in np.unique(fold):
        fit = Ridge(alpha=PENALTY).fit(features[fold != held_out], targets[fold != held_out])
        result[fold == held_out] = fit.predict(features[fold == held_out]).reshape(-1, targets.shape[1])
    return result


def domain_values(run: Run) -> dict[str, Array]:
    """domain_predicted.LAYER [T]: the domain with the largest fitted indicator; domain_accuracy.LAYER [1]; fold [T]."""
    domain, fold = run.domain_of_token(), folds(run)
    indicators = np.eye(len(run.names))[domain]
    result: dict[str, Array] = {"fold": fold.astype(np.int32)}
    for layer, scores in run.scores.items():
        predicted = cross_validated(scores.astype(np.float64), indicators, fold).argmax(axis=1)
        result[f"domain_predicted.{layer}"] = predicted.astype(np.int32)
        result[f"domain_accuracy.{layer}"] = np.array([(predicted == domain).mean()])
    return result


def position_values(run: Run) -> dict[str, Array]:
    """position_r2.LAYER [1]: 1 - squared error over squared deviation from the mean, for the position in the document;
    here document n is in fold n mod FOLDS."""
    lengths = np.diff(run.offsets)
    position = np.concatenate([np.arange(length) for length in lengths]).astype(np.float64)[:, None]
    fold = np.repeat(np.arange(len(lengths)) % FOLDS, lengths)
    result: dict[str, Array] = {}
    for layer, scores in run.scores.items():
        error = ((cross_validated(scores.astype(np.float64), position, fold) - position) ** 2).sum()
        result[f"position_r2.{layer}"] = np.array([1 - error / ((position - position.mean()) ** 2).sum()])
    return result
