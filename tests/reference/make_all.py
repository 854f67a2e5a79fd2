# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes every reference value again: see README.md in this folder."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from common.remote import RemoteCode  # noqa: E402

DATA = HERE.parent / "data" / "reference"

#: Family modules in the order of the models reference.
FAMILIES = (
    "mixtral",
    "mixtral_early",
    "dense",
    "deepseek",
    "grok1",
    "olmoe",
    "qwen2_moe",
    "qwen3_moe",
    "deepseek_v2",
    "deepseek_v3",
    "gpt_oss",
    "phimoe",
    "granitemoe",
    "glm4_moe",
    "minimax_m2",
    "llama4",
    "dbrx",
    "ernie4_5_moe",
    "hunyuan_v1_moe",
    "dots1",
    "gemma4",
    "qwen3_next",
    "qwen3_5_moe",
    "bailing_moe",
    "kimi_k2",
)


def make_families(names: list[str], remote_code: RemoteCode) -> None:
    """Writes the fixtures of the named family modules."""
    from common.runner import make_fixture

    for name in names:
        module = importlib.import_module(f"families.{name}")
        for fixture in module.fixtures(remote_code):
            print(make_fixture(fixture, DATA / "models"), flush=True)


def compare_notebooks(demo: Path, remote_code: RemoteCode) -> None:
    """The published notebooks beside our definitions, in their own process: their cells change folder and modules."""
    for root in remote_code:
        if (root / "static_analysis.ipynb").exists():
            options = ["--remote-code", str(root), "--demo", str(demo)]
            subprocess.run([sys.executable, str(HERE / "compare_notebooks.py"), *options], check=True)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="family modules to make (default: all)")
    parser.add_argument("--demo", type=Path, default=HERE.parent.parent / "resources" / "demo", help="demo models")
    parser.add_argument("--tokenizers", type=Path, help="the folder of real tokenizers")
    parser.add_argument("--remote-code", type=Path, nargs="*", default=[], help="clones of code published with models")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Makes everything asked for; 0 when it worked."""
    options = parse(arguments)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    make_families(list(FAMILIES) if options.only is None else options.only, options.remote_code)
    from make_experiments import make_experiments

    make_experiments(DATA)
    if options.only is None:
        from make_agreement import make_agreement
        from make_assignment import make_assignment
        from make_bfloat16 import make_bfloat16
        from make_chat_templates import make_chat_templates
        from make_demo import make_demo
        from make_demo_experiments import make_demo_experiments
        from make_fuzz_seeds import make_fuzz_seeds
        from make_gguf import make_gguf
        from make_gguf_models import make_gguf_models
        from make_pickles import make_pickles
        from make_pre_tokenizers import make_pre_tokenizers
        from make_reproduction import make_reproduction
        from make_routing import make_routing
        from make_routing_statistics import make_routing_statistics
        from make_selection import make_selection
        from make_sentencepiece_rules import make_sentencepiece_rules
        from make_statistics import make_statistics
        from make_storage import make_storage
        from make_tokenizers import make_tokenizers

        make_assignment(DATA)
        make_statistics(DATA)
        make_routing_statistics(DATA)
        make_routing(DATA)
        make_selection(DATA)
        make_reproduction(DATA)
        make_storage(DATA)
        make_gguf(DATA)
        make_gguf_models(DATA)
        make_pickles(DATA)
        make_demo(DATA, options.demo, options.remote_code)
        make_agreement(DATA)
        make_demo_experiments(DATA, options.demo, options.remote_code)
        make_bfloat16(DATA, options.demo, options.remote_code)
        make_tokenizers(DATA, HERE.parent.parent, options.tokenizers)
        make_pre_tokenizers(DATA)
        make_sentencepiece_rules(DATA)
        make_chat_templates(DATA)
        make_fuzz_seeds(DATA)
        compare_notebooks(options.demo, options.remote_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
