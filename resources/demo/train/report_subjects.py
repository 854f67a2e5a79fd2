# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report speaks of: the exported models with their training history, and small helpers."""

from dataclasses import dataclass

import torch

import evaluation
from decoder import Decoder
from paths import DEMO_DIR
from presets import EARLY_NAME, RECIPES, Recipe
from train import state_path
from verify import decoder_of

LENGTH = 256
BASE_MODELS = ("tiny-mistral", "tiny-mixtral", "tiny-deepseekmoe")
NAMES = (*BASE_MODELS, "tiny-mixtral-instruct", EARLY_NAME)


@dataclass
class Subject:
    """A model with what is known of its training."""

    name: str
    recipe: Recipe
    model: Decoder
    history: list[dict]
    steps: int
    seconds: float


def load_subjects() -> dict[str, Subject]:
    """Every exported model, in report order."""
    subjects = {}
    for name in NAMES:
        recipe = RECIPES["tiny-deepseekmoe" if name == EARLY_NAME else name]
        state = torch.load(state_path(recipe.name), map_location="cpu", weights_only=False)
        model = decoder_of(DEMO_DIR / name)
        subjects[name] = Subject(name, recipe, model, state["history"], state["step"], state["seconds"])
    return subjects


def mixed_rows(tokenizer: str, per_domain: int) -> evaluation.Rows:
    """The same number of validation rows of every domain."""
    rows = evaluation.held_out_rows(tokenizer, LENGTH, per_domain).values()
    return torch.cat([ids for ids, _ in rows]), torch.cat([targets for _, targets in rows])


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def mean(values: dict[str, float]) -> float:
    """Mean over domains, each counting the same."""
    return sum(values.values()) / len(values)
