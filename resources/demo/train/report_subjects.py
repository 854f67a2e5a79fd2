# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report speaks of: the exported models, and small helpers."""

from collections.abc import Sequence
from dataclasses import dataclass

import evaluation
from decoder import Decoder
from paths import DEMO_DIR
from presets import EARLY_NAME, RECIPES, Recipe
from remembered import folder_key, remembered
from verify import decoder_of

LENGTH = 256
EVALUATED_ROWS = 100
BASE_MODELS = ("tiny-mistral", "tiny-mixtral", "tiny-deepseekmoe")
NAMES = (*BASE_MODELS, "tiny-mixtral-instruct", EARLY_NAME)


@dataclass
class Subject:
    """A model and its recipe; `key` tells its weights from others."""

    name: str
    recipe: Recipe
    model: Decoder
    key: str


def load_subjects(names: Sequence[str] = NAMES) -> dict[str, Subject]:
    """The exported models, in report order."""
    subjects = {}
    for name in names:
        recipe = RECIPES["tiny-deepseekmoe" if name == EARLY_NAME else name]
        folder = DEMO_DIR / name
        model = decoder_of(folder)
        subjects[name] = Subject(name, recipe, model, folder_key(folder))
    return subjects


def mixed_rows(tokenizer: str, per_domain: int) -> evaluation.Rows:
    """The same number of validation rows of every domain."""
    return evaluation.joined(evaluation.held_out_rows(tokenizer, LENGTH, per_domain))


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def mean(values: dict[str, float]) -> float:
    """Mean over domains, each counting the same."""
    return sum(values.values()) / len(values)


def domain_losses(subject: Subject) -> dict[str, float]:
    """Validation loss per domain of one model."""

    def compute() -> dict[str, float]:
        rows = evaluation.held_out_rows(subject.recipe.tokenizer, LENGTH, EVALUATED_ROWS)
        return evaluation.domain_losses(subject.model, rows)

    return remembered(f"losses {subject.key} {EVALUATED_ROWS}", compute)
