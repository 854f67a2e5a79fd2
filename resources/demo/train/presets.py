# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and training recipe of every demo model. Together at most 24 MB in bfloat16; the arithmetic is in README.md."""

import dataclasses
from dataclasses import dataclass

from decoder import Shape
from tokenizer_training import VOCABULARY

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 96, 8, 4, 2, 24
DENSE_WIDTH = 128
CONTINUED_RATE = 0.6  # of the peak rates, when trained weights are gone on from

MISTRAL = Shape("mistral", VOCABULARY, HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, DENSE_WIDTH)
MIXTRAL = Shape(
    "mixtral", VOCABULARY, HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, DENSE_WIDTH, experts=8, top_k=2, expert_width=DENSE_WIDTH
)
DEEPSEEK = Shape(
    "deepseek", VOCABULARY, HIDDEN, LAYERS, HEADS, HEADS, HEAD_DIM, dense_width=160, experts=32, top_k=4, expert_width=22,
    shared_width=44, first_dense=1, renormalise=False, epsilon=1e-6,
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: `steps` of `batch_tokens`, peak learning rates with linear decay over the last part.

    `lengths`: (progress up to which, row length), for short rows are cheaper and most is learnt from near context.
    `blocks`: how many pieces of 512 tokens of the shuffled corpus are used, again and again; models that start from one
    another read the same ones (`text_seed`), so that a 5-gram over the same text is well defined.
    `redrawn`: share of the neurons of every copied expert that is drawn anew at the start (upcycling.py).
    `continued_balance`: weight of the load-balancing loss when trained weights are gone on from, if not `balance`.
    """

    name: str
    shape: Shape
    tokenizer: str
    steps: int
    seed: int
    start_from: str = ""
    early_fraction: float = 0.0
    batch_tokens: int = 4096
    lengths: tuple[tuple[float, int], ...] = ((0.5, 128), (0.85, 256), (1.0, 512))
    matrix_rate: float = 0.02
    vector_rate: float = 0.004
    warmup: float = 0.02
    decay: float = 0.6
    balance: float = 0.0
    on_pairs: bool = False
    blocks: int = 13_312
    text_seed: int = 11
    redrawn: float = 0.0
    continued_balance: float | None = None

    def continued(self) -> "Recipe":
        """The recipe for weights that are trained already: fewer short rows, and a lower rate that falls almost from the start.

        At the full rate the loss first gets worse for some hundred steps, which a short run does not make up for.
        """
        return dataclasses.replace(
            self,
            lengths=((0.75, 128), (0.93, 256), (1.0, 512)),
            matrix_rate=CONTINUED_RATE * self.matrix_rate,
            vector_rate=CONTINUED_RATE * self.vector_rate,
            decay=0.95,
            balance=self.balance if self.continued_balance is None else self.continued_balance,
        )

    def length_at(self, progress: float) -> int:
        """Row length at this part of the run."""
        return next(length for until, length in self.lengths if progress < until)


EARLY_NAME = "tiny-deepseekmoe-early"

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("tiny-mistral", MISTRAL, "spm", steps=2400, seed=11),
        Recipe("tiny-mixtral", MIXTRAL, "spm", steps=1800, seed=12, start_from="tiny-mistral", matrix_rate=0.02,
               vector_rate=0.003, balance=0.02, decay=0.8, lengths=((0.6, 128), (0.9, 256), (1.0, 512)), redrawn=0.125,
               continued_balance=0.05),
        Recipe("tiny-mixtral-instruct", MIXTRAL, "spm", steps=600, seed=13, start_from="tiny-mixtral", matrix_rate=0.005,
               vector_rate=0.0008, balance=0.02, decay=0.9, batch_tokens=1536, lengths=((1.0, 256),), on_pairs=True),
        Recipe("tiny-deepseekmoe", DEEPSEEK, "bpe", steps=3000, seed=14, balance=0.01, early_fraction=0.27, blocks=16_976,
               text_seed=14),
    )
}  # fmt: skip
