# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""C4: accuracy on questions with several choices, scored by log-likelihood, intact and without an expert.

A choice's score is the sum of the log-probabilities of its tokens behind the question's; the best choice is the one
with the largest sum, or the largest sum per token (ties to the lower index).
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import log_softmax

from experiments.source import Array
from routing.expert_removal import without
from routing.run import Change, Model, unchanged

QUESTIONS, CHOICES = 12, 4
MINIMUM_GAP = 1e-3  # between the two best scores of a question


def draw(vocabulary: int, seed: int) -> tuple[list[Array], list[list[Array]], Array]:
    """Questions of 3 to 9 ids, four choices of 1 to 5 ids for each, and which one is right."""
    generator = np.random.Generator(np.random.PCG64([53, seed]))
    questions = [generator.integers(0, vocabulary, generator.integers(3, 10)) for _ in range(QUESTIONS)]
    choices = [[generator.integers(0, vocabulary, generator.integers(1, 6)) for _ in range(CHOICES)] for _ in questions]
    return questions, choices, generator.integers(0, CHOICES, QUESTIONS)


def _score(logits: Array, question: Array, choice: Array) -> float:
    """Logits [question + choice, V] of both together."""
    start = len(question)
    logs = log_softmax(logits[start - 1 : start - 1 + len(choice)], axis=-1)
    return float(logs[np.arange(len(choice)), choice].sum())


def scores(model: Model, questions: list[Array], choices: list[list[Array]], change: Change = unchanged) -> Array:
    """Sums of log-probabilities [Q, C]."""
    table = np.zeros((len(questions), CHOICES))
    with model.runner(change) as run:
        for row, question in enumerate(questions):
            for column, choice in enumerate(choices[row]):
                logits = run(torch.from_numpy(np.concatenate([question, choice]))).double().numpy()
                table[row, column] = _score(logits, question, choice)
    return table


def _clear(table: Array) -> bool:
    ordered = -np.sort(-table, axis=1)
    return bool((ordered[:, 0] - ordered[:, 1]).min() >= MINIMUM_GAP)


def values(model: Model, vocabulary: int, experts: int) -> dict[str, Array]:
    """ids of every question followed by one of its choices, offsets [Q C + 1], question_length [Q], answer [Q];
    sum and per_token [Q, C]; accuracy [2] of the two; removed.sum [E, Q, C] and removed.accuracy [E, 2], each expert
    taken out of all layers."""
    for seed in range(1000):
        questions, choices, answer = draw(vocabulary, seed)
        lengths = np.array([[len(choice) for choice in row] for row in choices])
        tables = [
            scores(model, questions, choices, c) for c in (unchanged, *(without(e, None) for e in range(experts)))
        ]
        if all(_clear(table) and _clear(table / lengths) for table in tables):
            break

    def accuracy(table: Array) -> list[float]:
        return [float((kind.argmax(axis=1) == answer).mean()) for kind in (table, table / lengths)]

    texts = [np.concatenate([q, choice]) for q, row in zip(questions, choices, strict=True) for choice in row]
    return {
        "ids": np.concatenate(texts),
        "offsets": np.array([0, *np.cumsum([len(text) for text in texts])]),
        "question_length": np.array([len(question) for question in questions]),
        "answer": answer,
        "sum": tables[0],
        "per_token": tables[0] / lengths,
        "accuracy": np.array(accuracy(tables[0])),
        "removed.sum": np.stack(tables[1:]),
        "removed.accuracy": np.array([accuracy(table) for table in tables[1:]]),
    }
