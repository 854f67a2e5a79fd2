# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in order: corpus, tokenizers, token files, training, export, shipped text, checks, report.

    python3 build.py [--device cuda] [--threads 2] [--compile] [--hours 3]

Each stage keeps its result in the cache ($MOESCOPE_DEMO_CACHE, default ~/.cache/moescope-demo) and is skipped or resumed when
run again. With --hours the training time is divided as SHARES say, instead of the recipes' numbers of steps.
"""

import argparse
import subprocess
import sys

import corpus
import packing
import tokenizer_training
from paths import DEMO_DIR, TRAIN_DIR
from presets import EARLY_NAME, RECIPES
from train import final_path

SHARES = {"tiny-mistral": 0.16, "tiny-mixtral": 0.28, "tiny-mixtral-instruct": 0.05, "tiny-deepseekmoe": 0.51}


def run(*arguments: str) -> None:
    """One script of this folder in its own process."""
    subprocess.run([sys.executable, *arguments], cwd=TRAIN_DIR, check=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--hours", type=float)
    arguments = parser.parse_args()
    corpus.build()
    tokenizer_training.build()
    packing.build()
    for name in RECIPES:
        if final_path(name).exists():
            continue
        options = ["--device", arguments.device, "--threads", str(arguments.threads)]
        options += ["--compile"] if arguments.compile else []
        options += ["--minutes", str(60 * arguments.hours * SHARES[name])] if arguments.hours else []
        run("train.py", name, *options)
    run("export.py")
    run("sample_text.py")
    run("verify.py", *(str(DEMO_DIR / name) for name in (*RECIPES, EARLY_NAME)))
    run("report.py")


if __name__ == "__main__":
    main()
