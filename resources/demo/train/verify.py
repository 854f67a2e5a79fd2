# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks exported folders against independent code: transformers, and DeepSeekMoE's published modelling file.

    python3 verify.py FOLDER... [--remote-code DIRECTORY]

DIRECTORY is a clone of github.com/kamanphoebe/Look-into-MoEs, which is not part of this repository; tests/reference runs it.
Each line states the largest difference between the logits of our decoder and theirs, both in float32.
"""

import argparse
import importlib
import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from torch import Tensor

from decoder import Decoder
from hub_tensors import folder_tensors, from_hub, to_hub
from paths import TRAIN_DIR
from presets import EARLY_NAME, RECIPES

REFERENCE = TRAIN_DIR.parents[2] / "tests" / "reference"
TOLERANCE = 1e-4
TEXT = "As an open source alternative to def main(): return 42 \u2014 \u540d\u524d \u00dc"


def decoder_of(folder: Path) -> Decoder:
    """Our decoder with a folder's weights."""
    shape = RECIPES["tiny-deepseekmoe" if folder.name == EARLY_NAME else folder.name].shape
    stored = folder_tensors(folder)
    state = from_hub(shape, stored)
    again = to_hub(shape, state)
    assert again.keys() == stored.keys() and all(torch.equal(again[name], stored[name]) for name in stored), folder
    model = Decoder(shape)
    model.load_state_dict(state)
    return model.eval()


def check_resaved_names(model: transformers.PreTrainedModel, folder: Path) -> str:
    """What transformers itself writes: the published names, or a list of those that differ."""
    with tempfile.TemporaryDirectory() as place:
        model.save_pretrained(place)
        written = folder_tensors(Path(place)).keys()
    published = folder_tensors(folder).keys()
    return "same names" if written == published else f"{len(written)} other names, e.g. {sorted(written - published)[0]}"


def published_logits(folder: Path, code: Path, ids: Tensor) -> Tensor:
    """What the published model class makes of our weights."""
    sys.path.insert(0, str(REFERENCE))
    families = importlib.import_module("families.deepseek")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return families.load_folder(config, [code], folder).logits(ids)


@torch.no_grad()
def check(folder: Path, code: Path | None) -> None:
    """Prints one line; fails when the logits differ."""
    model = decoder_of(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    ours = model.logits(model(ids)[0])
    note = ""
    if model.shape.family == "deepseek":
        if code is None:
            print(f"{folder.name}: not compared (needs --remote-code)")
            return
        theirs = published_logits(folder, code, ids)
    else:
        reference = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        theirs, note = reference(ids).logits, f"; saved again by transformers: {check_resaved_names(reference, folder)}"
    difference = (ours - theirs).abs().max().item()
    print(f"{folder.name}: {ids.shape[1]} tokens, largest logit difference {difference:.2e} of {theirs.abs().max():.1f}{note}")
    assert difference < TOLERANCE * max(1.0, theirs.abs().max().item())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--remote-code", type=Path)
    arguments = parser.parse_args()
    for folder in arguments.folders:
        check(folder, arguments.remote_code)


if __name__ == "__main__":
    main()
