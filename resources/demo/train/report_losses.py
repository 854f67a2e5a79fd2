# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, and validation losses beside those of a Kneser-Ney 5-gram."""

import hashlib

import numpy as np
import torch

import evaluation
import packing
from decoder import Decoder
from domains import DOMAINS
from instruct import encode_pair, pairs
from kneser_ney import KneserNey
from paths import DEMO_DIR, shipped_steps
from presets import EARLY_NAME, RECIPES, Recipe
from remembered import remembered
from report_subjects import BASE_MODELS, EVALUATED_ROWS, LENGTH, NAMES, Subject, domain_losses, mean, table

PAIRS_PER_DOMAIN = 30
BLOCK = 512


def seen_rows(recipe: Recipe, steps: int) -> np.ndarray:
    """The training rows a run saw, with those of the run it started from, each once."""
    blocks = packing.training_blocks(recipe.tokenizer, BLOCK, recipe.text_seed)[: recipe.blocks]
    blocks = blocks[: steps * recipe.batch_tokens // BLOCK]
    if recipe.start_from:
        start = RECIPES[recipe.start_from]
        blocks = np.concatenate([blocks, seen_rows(start, shipped_steps()[start.name])])
    return np.unique(blocks, axis=0)


def passes(recipe: Recipe, steps: int) -> str:
    """How often a run saw its text, in the mean."""
    return "" if recipe.on_pairs else f"{steps * recipe.batch_tokens / BLOCK / recipe.blocks:.1f}"


def kneser_ney_losses(recipe: Recipe, rows: np.ndarray) -> dict[str, float]:
    """Validation loss per domain of the 5-gram model counted on `rows`."""
    key = f"5-gram {recipe.tokenizer} {EVALUATED_ROWS} {hashlib.sha256(rows.tobytes()).hexdigest()}"
    return remembered(key, lambda: _kneser_ney_losses(recipe, rows))


def _kneser_ney_losses(recipe: Recipe, rows: np.ndarray) -> dict[str, float]:
    model = KneserNey(rows)
    losses = {}
    for domain in DOMAINS:
        held_out = packing.blocks(packing.stream(recipe.tokenizer, domain, "validation"), LENGTH)[:EVALUATED_ROWS]
        losses[domain] = float(-np.log(model.probabilities(held_out)).mean())
    return losses


def training_section(subjects: dict[str, Subject]) -> str:
    """Sizes, steps and tokens."""
    rows = []
    for subject in subjects.values():
        parameters = sum(p.numel() for p in subject.model.parameters())
        size = sum(path.stat().st_size for path in (DEMO_DIR / subject.name).iterdir())
        steps = shipped_steps()[subject.name]
        tokens = f"{steps * subject.recipe.batch_tokens / 1e6:.1f}"
        rows.append([subject.name, f"{parameters:,}", f"{size:,}", f"{steps:,}", tokens, passes(subject.recipe, steps)])
    total = sum(path.stat().st_size for name in NAMES for path in (DEMO_DIR / name).iterdir())
    header = ["model", "parameters", "bytes", "steps of its own", "million tokens of its own", "passes over its text"]
    return table(header, rows) + f"\nAll five folders together: {total:,} bytes.\n"


def loss_section(subjects: dict[str, Subject]) -> str:
    """Validation loss against Kneser-Ney, for each base model."""
    return "".join(loss_text(subjects[name]) for name in BASE_MODELS)


def loss_text(subject: Subject) -> str:
    """One model's part of the section."""
    own, seen = domain_losses(subject), seen_rows(subject.recipe, shipped_steps()[subject.name])
    same = kneser_ney_losses(subject.recipe, seen)
    full = kneser_ney_losses(subject.recipe, packing.training_blocks(subject.recipe.tokenizer, BLOCK, seed=0))
    rows = []
    for domain in DOMAINS:
        figures = [f"{losses[domain]:.3f}" for losses in (own, same, full)]
        rows.append([domain, *figures, "yes" if own[domain] < same[domain] else "no"])
    rows.append(["**mean**", f"**{mean(own):.3f}**", f"**{mean(same):.3f}**", f"{mean(full):.3f}", ""])
    header = ["domain", "model", f"5-gram, same {seen.size / 1e6:.1f} M tokens", "5-gram, all 20 M tokens", "better"]
    passed = "passed" if mean(own) < mean(same) else "**missed**"
    gate = f"Gate (mean better than the 5-gram over the same tokens): {passed}, {mean(own):.3f} against {mean(same):.3f}."
    return f"\n### {subject.name}\n\n{table(header, rows)}\n{gate}\n"


def other_losses(subjects: dict[str, Subject]) -> str:
    """Mean validation loss of the two further checkpoints, and the instruct model's loss on held-out answers."""
    lines = []
    for name in ("tiny-mixtral-instruct", EARLY_NAME):
        lines.append(f"{name}: {mean(domain_losses(subjects[name])):.3f} in the mean over domains.")
    base, tuned = (answer_loss(subjects[name].model) for name in ("tiny-mixtral", "tiny-mixtral-instruct"))
    lines.append(f"Loss on the answers of held-out pairs: tiny-mixtral {base:.3f}, tiny-mixtral-instruct {tuned:.3f}.")
    return "\n".join(f"- {line}" for line in lines) + "\n"


def answer_loss(model: Decoder) -> float:
    """Mean loss of answer tokens over held-out pairs."""
    encoder = packing.SentencePieceEncoder()
    total, count = 0.0, 0
    for _, pair in pairs("validation", PAIRS_PER_DOMAIN):
        ids, targets = encode_pair(encoder, pair)
        losses = evaluation.token_losses(model, (torch.tensor([ids]), torch.tensor([targets]).clamp_min(0)))[0]
        answered = torch.tensor(targets) >= 0
        total, count = total + losses[answered].sum().item(), count + int(answered.sum())
    return total / count
