# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality gate: writes REPORT.md and curves.svg from the exported folders and the training logs.

    python3 report.py [--prepare NAME...] [--threads N]

--prepare only computes what takes long for the named models, while others still train; delete the cache's folder `report`
after a change of these scripts.
"""

import argparse

import torch

from curves import draw, shipped_curves
from paths import DEMO_DIR, TRAIN_DIR
from presets import RECIPES
from report_losses import loss_section, loss_text, other_losses, training_section
from report_routing import agreement_section, router_section, router_text
from report_samples import continuations, sample_section
from report_subjects import BASE_MODELS, Subject, domain_losses, load_subjects
from report_weights import similarity_section, similarity_text

INTRODUCTION = """# Report on the demo models

Written by `train/report.py` from the exported folders (bfloat16 weights, evaluated in float32) and the logged curves.
Losses are in nats per token on the validation split, at most 100 rows of 256 tokens a domain, each beginning with BOS; every
domain counts the same.
The 5-gram is an interpolated modified Kneser-Ney model over the same tokens, with the same context limits as the model has.

![Training curves](curves.svg)

The curves of tiny-mistral and tiny-deepseekmoe are those of their second go alone.
"""


def prepare(subject: Subject) -> None:
    """Computes one model's costly figures."""
    domain_losses(subject)
    if subject.name in BASE_MODELS:
        loss_text(subject)
    if subject.recipe.shape.experts:
        router_text(subject)
    if subject.name in ("tiny-mixtral", "tiny-deepseekmoe"):
        similarity_text(subject, load_subjects(["tiny-mistral"])["tiny-mistral"] if subject.recipe.start_from else None)
        continuations(subject)


def write() -> None:
    """Writes the report."""
    subjects = load_subjects()
    curves = shipped_curves()
    draw({name: curves[name] for name in RECIPES}, DEMO_DIR / "curves.svg")
    sections = {
        "Training": training_section,
        "Validation loss": loss_section,
        "Further losses": other_losses,
        "Router load and removal": router_section,
        "Expert weights (A1 to A3)": similarity_section,
        "Routing across checkpoints and domains": agreement_section,
        "Greedy samples": sample_section,
    }
    text = INTRODUCTION
    for title, section in sections.items():
        text += f"\n## {title}\n\n{section(subjects).lstrip()}"
    text += f"\n## What was learnt\n\n{(TRAIN_DIR / 'findings.md').read_text(encoding='utf-8')}"
    (DEMO_DIR / "REPORT.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for subject in load_subjects(arguments.prepare).values():
        prepare(subject)
    if not arguments.prepare:
        write()


if __name__ == "__main__":
    main()
